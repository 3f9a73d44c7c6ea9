"""Functions over event-time windows, of series and of what a car has been doing."""

from typing import Final

from rules.language.call import Build, Checking, series, window
from rules.language.functions import WindowFunction
from rules.language.kind import Form, Kind, Typed, number, truth
from rules.language.syntax import Call, ExpressionError, Name, Syntax, start
from rules.language.tree import Absent, Baseline, CarState, Number, Over, Series, Since
from rules.language.units import DAY, PERCENT, PLAIN, SECOND

MAX_BASELINE: Final = 100
"""First observations that a baseline rests on at most."""

_SAME: Final = frozenset({WindowFunction.MIN, WindowFunction.MAX, WindowFunction.LAST})


def over(function: WindowFunction) -> Build:
    """How a call of a window function becomes a node."""

    def build(node: Call, checking: Checking) -> Typed | None:
        operand = checking.check(node.arguments[0])
        length = window(node.arguments[1], checking)
        share = _share(node.arguments[2], checking) if len(node.arguments) > 2 else 0.5  # noqa: PLR2004 -- the third
        if operand is None:
            return None
        return Typed(Over(function, operand.expression, length, share), _over_kind(function, operand.kind))

    return build


def _share(node: Syntax, checking: Checking) -> float:
    found = checking.check(node)
    if found and isinstance(found.expression, Number) and found.kind.unit in {PLAIN, PERCENT}:
        share = found.expression.value * found.kind.unit.scale
        if 0 <= share <= 1:
            return share
    raise ExpressionError(start(node), "a quantile is a share: a number from 0 to 1, or in %")


def _over_kind(function: WindowFunction, kind: Kind) -> Kind:
    if function in _SAME and (kind.form is not Form.CHOICE or function is WindowFunction.LAST):
        return kind
    if function is WindowFunction.TIME_SINCE:
        return number(SECOND, kind.group)
    if function is WindowFunction.COUNT or (function is WindowFunction.AVG and kind.form is Form.TRUTH):
        return number(PLAIN, kind.group)
    if kind.form is not Form.NUMBER:
        raise ExpressionError(0, f"{function} needs a number, and this is {kind}: count, last and time_since do not")
    unit = kind.unit
    if function is WindowFunction.DELTA:
        unit = unit.difference()
    elif function in {WindowFunction.SLOPE, WindowFunction.TREND}:
        unit = unit.difference().per(DAY)
    return number(unit, kind.group)


def since(node: Call, checking: Checking) -> Typed:
    """``since(state, window)``."""
    name = node.arguments[0]
    if not isinstance(name, Name) or name.text not in set(CarState):
        raise ExpressionError(start(name), f"since needs one of {', '.join(CarState)}")
    return Typed(Since(CarState(name.text), window(node.arguments[1], checking)), number(SECOND))


def absent(node: Call, checking: Checking) -> Typed | None:
    """``absent(x, window)``."""
    found = series(node.arguments[0], checking, node.name)
    length = window(node.arguments[1], checking)
    if found is None or not isinstance(found.expression, Series):
        return None
    return Typed(Absent(found.expression, length), truth(found.kind.group))


def baseline(node: Call, checking: Checking) -> Typed | None:
    """``baseline(x, number)``."""
    found = series(node.arguments[0], checking, node.name)
    count = checking.check(node.arguments[1])
    value = count.expression.value if count and isinstance(count.expression, Number) else 0.0
    if count is None or count.kind.unit != PLAIN or value not in range(1, MAX_BASELINE + 1):
        raise ExpressionError(start(node.arguments[1]), f"baseline rests on a whole number from 1 to {MAX_BASELINE}")
    if found is None or not isinstance(found.expression, Series):
        return None
    if found.kind.form is not Form.NUMBER:
        raise ExpressionError(0, f"baseline needs a number, and this is {found.kind}")
    return Typed(Baseline(found.expression, int(value)), found.kind)
