"""Finds the number that a rule watches, and the thresholds that its conditions compare it with."""

from collections.abc import Iterator
from typing import Final

from rules.language.tree import And, Comparison, Expression, Number, Or, Relation, Where
from rules.rule import Gauge
from rules.wording import changed_series, in_words

_TURNED: Final = {
    Relation.LESS: Relation.GREATER,
    Relation.AT_MOST: Relation.AT_LEAST,
    Relation.GREATER: Relation.LESS,
    Relation.AT_LEAST: Relation.AT_MOST,
}
_UPWARDS: Final = frozenset({Relation.GREATER, Relation.AT_LEAST})


def gauge_of(when: Expression, until: Expression, title: str) -> Gauge | None:
    """The gauge of a rule; None if `when` compares no number with a constant."""
    for comparison in _comparisons(when):
        back = next((other for other in _comparisons(until) if other.left == comparison.left), None)
        return Gauge(
            expression=comparison.left,
            unit=comparison.unit,
            above=comparison.relation in _UPWARDS,
            enter=_constant(comparison),
            leave=None if back is None else _constant(back),
            title=title or in_words(comparison.left),
            relative_to=changed_series(comparison.left),
        )
    return None


def threshold_of(gauge: Gauge | None, condition: Expression) -> float | None:
    """The constant with which a condition compares the gauge on the gauge's side."""
    for comparison in _comparisons(condition):
        if gauge and comparison.left == gauge.expression and (comparison.relation in _UPWARDS) == gauge.above:
            return _constant(comparison)
    return None


def _comparisons(node: Expression) -> Iterator[Comparison]:
    """Those that a condition is made of, each with its constant to the right; what `not` turns round is left out."""
    match node:
        case Comparison(relation=relation, left=left, right=right, unit=unit) if relation in _TURNED:
            if isinstance(right, Number):
                yield node
            elif isinstance(left, Number):
                yield Comparison(_TURNED[relation], right, left, unit)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _comparisons(operand)
        case Where(operand=operand):
            yield from _comparisons(operand)
        case _:
            pass


def _constant(comparison: Comparison) -> float:
    return comparison.right.value if isinstance(comparison.right, Number) else 0.0
