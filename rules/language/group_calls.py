"""Functions across the members of a group, and of one number."""

from rules.language.call import Build, Checking
from rules.language.functions import GroupFunction
from rules.language.kind import Form, Kind, Typed, number, truth
from rules.language.syntax import Call, ExpressionError, start
from rules.language.tree import Absolute, Across
from rules.language.units import PLAIN


def across(function: GroupFunction) -> Build:
    """How a call of a group function becomes a node."""

    def build(node: Call, checking: Checking) -> Typed | None:
        operand = checking.check(node.arguments[0])
        if operand is None:
            return None
        if operand.kind.group is None:
            raise ExpressionError(start(node.arguments[0]), f"{function} needs like parts, and this is one value a car")
        return Typed(Across(function, operand.expression), _across_kind(function, operand.kind))

    return build


def _across_kind(function: GroupFunction, kind: Kind) -> Kind:
    if function is GroupFunction.COUNT:
        return number(PLAIN)
    wanted = Form.TRUTH if function in {GroupFunction.ANY, GroupFunction.ALL} else Form.NUMBER
    if kind.form is not wanted:
        raise ExpressionError(0, f"{function} needs {wanted.value}, and this is {kind}")
    if wanted is Form.TRUTH:
        return truth()
    if function in {GroupFunction.ARGMAX, GroupFunction.ARGMIN}:
        return number(PLAIN)
    return number(kind.unit.difference() if function is GroupFunction.SPREAD else kind.unit)


def absolute(node: Call, checking: Checking) -> Typed | None:
    """``abs(x)``."""
    operand = checking.check(node.arguments[0])
    if operand and (operand.kind.form is not Form.NUMBER or operand.kind.unit.is_point):
        raise ExpressionError(0, f"abs needs a number that can be negative, and this is {operand.kind}")
    return operand and Typed(Absolute(operand.expression), operand.kind)
