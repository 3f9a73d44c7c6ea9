"""Numbers with units and spans of time as fields of rule files hold them: `11.8 V`, `36 h`."""

import math
import re
from datetime import timedelta
from typing import Final

from rules.language.units import PLAIN, SECOND, Unit, unit

_QUANTITY: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(\S.*?)?\s*", re.ASCII)


class LiteralError(ValueError):
    """The text is no quantity or span; the message says how to write one."""


def quantity(text: object, wanted: Unit) -> float:
    """The number in a text like `12.2 V`, in the unit that is wanted.

    Raises:
        LiteralError: if it is not a number with a unit that can be converted into it.
    """
    number, found = _split(text, f"12.5 {wanted.text}".strip())
    if not found.fits(wanted) or not (found.text or not wanted.text):
        raise LiteralError(f"{text!s} is in {found.text or 'no unit'}, not in {wanted.text or 'a plain number'}")
    return number if found.scale == wanted.scale else float(f"{number * found.scale / wanted.scale:.15g}")


def span(text: object) -> timedelta:
    """The duration in a text like `36 h`.

    Raises:
        LiteralError: if it is not a length of time.
    """
    number, found = _split(text, "36 h")
    if not found.fits(SECOND) or number < 0:
        raise LiteralError(f"{text!s} is no span of time: write it in s, min, h, d or w, like 36 h")
    try:
        return timedelta(seconds=number * found.scale)
    except OverflowError:
        raise LiteralError(f"{text!s} is longer than any history") from None


def _split(text: object, example: str) -> tuple[float, Unit]:
    if isinstance(text, int | float) and not isinstance(text, bool) and math.isfinite(text):
        return float(text), PLAIN
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    found = unit(match[2] or "") if match else None
    if match and found is None:
        raise LiteralError(f"there is no unit {match[2]}: write it like {example}")
    if match is None or found is None:
        raise LiteralError(f"{text!s} is no number with a unit: write it like {example}")
    return float(match[1]), found
