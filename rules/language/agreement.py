"""Brings the two sides of an operator to one unit, and says what is wrong where they have none in common.

Errors: `ExpressionError` without a place of its own (0): the caller knows the operator's.
"""

from dataclasses import replace
from typing import Final

from rules.language.kind import Form, Kind, Typed, number
from rules.language.syntax import ExpressionError
from rules.language.tree import Arithmetic, Calculation, Comparison, Convert, Expression, Group, Number, Relation
from rules.language.units import PERCENT, PLAIN, Unit

_CALCULATE: Final = {
    Arithmetic.ADD: lambda left, right: left + right,
    Arithmetic.SUBTRACT: lambda left, right: left - right,
    Arithmetic.MULTIPLY: lambda left, right: left * right,
    Arithmetic.DIVIDE: lambda left, right: left / right,
}


def common_group(*kinds: Kind) -> Group | None:
    """The group that all of these speak of, as far as they speak of one."""
    groups = {kind.group for kind in kinds if kind.group}
    if len(groups) > 1:
        names = " and ".join(sorted(group.name for group in groups))
        raise ExpressionError(0, f"{names} are different parts: take max_of, min_of or the like of one of them")
    return next(iter(groups), None)


def compared(relation: Relation, left: Typed, right: Typed) -> Comparison:
    """A comparison with both sides in one unit; a share meets a literal in % as a percentage."""
    _refuse_other_than_numbers(left, right)
    if not left.kind.unit.fits(right.kind.unit):
        raise ExpressionError(0, _misfit(left.kind.unit, right.kind.unit, "compared with"))
    first, second, unit = _aligned(left, right)
    return Comparison(relation, first, second, unit.text)


def calculated(operator: Arithmetic, left: Typed, right: Typed) -> Typed:
    """The result of an operation, worked out where both sides are literals."""
    _refuse_other_than_numbers(left, right)
    group = common_group(left.kind, right.kind)
    if operator in {Arithmetic.MULTIPLY, Arithmetic.DIVIDE}:
        for side in (left, right):
            if side.kind.unit.is_point:
                raise ExpressionError(0, f"a temperature in {side.kind.unit.text} has no multiples: take a difference")
        times = operator is Arithmetic.MULTIPLY
        unit = left.kind.unit.times(right.kind.unit) if times else left.kind.unit.per(right.kind.unit)
        return Typed(_folded(operator, left.expression, right.expression), number(unit, group))
    _refuse_sum(operator, left.kind.unit, right.kind.unit)
    first, second, unit = _aligned(left, right)
    if operator is Arithmetic.SUBTRACT and right.kind.unit.is_point:
        unit = unit.difference()
    return Typed(_folded(operator, first, second), number(unit, group))


def _refuse_other_than_numbers(left: Typed, right: Typed) -> None:
    for side in (left, right):
        if side.kind.form is Form.CHOICE:
            raise ExpressionError(0, f"this has named values: write == or in, and of {', '.join(side.kind.choices)}")
        if side.kind.form is Form.TRUTH:
            raise ExpressionError(0, "one side is true or false: it stands by itself, or after `not`")


def _refuse_sum(operator: Arithmetic, left: Unit, right: Unit) -> None:
    adding = operator is Arithmetic.ADD
    if left.dimension != right.dimension:
        raise ExpressionError(0, _misfit(right, left, "added to" if adding else "subtracted from"))
    if adding and left.is_point and right.is_point:
        raise ExpressionError(0, f"two temperatures in {left.text} have no sum: one of them must be a difference in K")
    if right.is_point and not left.is_point:
        raise ExpressionError(0, f"{right.text} is a point on a scale, K a difference: put the one in degC first")


def _misfit(left: Unit, right: Unit, verb: str) -> str:
    one, other = (f"a number in {side.text}" if side.text else "a number without unit" for side in (left, right))
    message = f"{one} cannot be {verb} {other}"
    if left.dimension == right.dimension:
        return f"{message}: degC is a point on a scale, K the difference of two"
    if PLAIN in (left, right):
        return f"{message}: write the number with its unit, like 12.5 {left.text or right.text}"
    return f"{message}: the units must measure the same thing"


def _aligned(left: Typed, right: Typed) -> tuple[Expression, Expression, Unit]:
    """Both sides in one unit, and the unit: a literal goes into the other's, else the right one into the left one's."""
    units = (left.kind.unit, right.kind.unit)
    for side, other in ((left, units[1]), (right, units[0])):
        if isinstance(side.expression, Number) and side.kind.unit == PLAIN and other == PERCENT:
            raise ExpressionError(0, f"{side.expression.value:g} meets a number in %: write it in % too")
    if units == (PLAIN, PERCENT):
        return _converted(left, PERCENT), right.expression, PERCENT
    if isinstance(left.expression, Number):
        return _converted(left, units[1]), right.expression, replace(units[1], is_point=units[0].is_point)
    return left.expression, _converted(right, units[0]), units[0]


def _converted(side: Typed, unit: Unit) -> Expression:
    """The expression in another unit of its dimension; fifteen digits keep decimal fractions what they are."""
    have, want = side.kind.unit.scale, unit.scale
    if have == want:
        return side.expression
    factor = float(f"{have / want:.15g}")
    if isinstance(side.expression, Number):
        return Number(float(f"{side.expression.value * factor:.15g}"))
    return Convert(side.expression, factor)


def _folded(operator: Arithmetic, left: Expression, right: Expression) -> Expression:
    if isinstance(left, Number) and isinstance(right, Number):
        if operator is Arithmetic.DIVIDE and right.value == 0.0:
            raise ExpressionError(0, "this divides by zero")
        return Number(float(f"{_CALCULATE[operator](left.value, right.value):.15g}"))
    return Calculation(operator, left, right)
