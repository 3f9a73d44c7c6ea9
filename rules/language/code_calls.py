"""Functions of trouble codes."""

import re
from typing import Final

from rules.language.call import Checking, window
from rules.language.kind import Typed, number, truth
from rules.language.syntax import Call, ExpressionError, Name, Quoted, Syntax, start
from rules.language.tree import Code, CodeCount
from rules.language.units import PLAIN
from vehicle.codes import DiagnosticTroubleCode, DtcStatus

STATUSES: Final = {str(status.name).lower(): status for status in DtcStatus}
"""The status bits of ISO 14229-1 by the names that rules write."""

_BEGINNING: Final = re.compile(r"[A-Z][A-Za-z0-9_]*\*", re.ASCII)


def code(node: Call, _checking: Checking) -> Typed:
    """``code(code, status)``."""
    return Typed(Code(_pattern(node.arguments[0]), _status(node.arguments[1])), truth())


def code_count(node: Call, checking: Checking) -> Typed:
    """``code_count(code, status, window)``."""
    length = window(node.arguments[2], checking)
    return Typed(CodeCount(_pattern(node.arguments[0]), _status(node.arguments[1]), length), number(PLAIN))


def _pattern(node: Syntax) -> str:
    if not isinstance(node, Quoted):
        raise ExpressionError(
            start(node), 'a trouble code stands in quotation marks: "BMS_a151", or "BMS_*" for several'
        )
    known = _BEGINNING.fullmatch(node.text) or isinstance(
        DiagnosticTroubleCode.parse(node.text, 0), DiagnosticTroubleCode
    )
    if not known:
        raise ExpressionError(node.at, f"{node.text} is neither a code of SAE J2012 (P0A1F) nor a maker's (BMS_a151)")
    return node.text.replace("-", "")


def _status(node: Syntax) -> DtcStatus:
    if isinstance(node, Name) and node.text in STATUSES:
        return STATUSES[node.text]
    raise ExpressionError(start(node), f"the status of a trouble code is one of {', '.join(STATUSES)}")
