"""Evaluates expressions over a batch of cars: one column per expression, along the rule's clock."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rules.engine import windows
from rules.engine.absence import absent
from rules.engine.baseline import usual
from rules.engine.carried import Reach
from rules.engine.columns import Values
from rules.engine.parts import across
from rules.engine.surroundings import Surroundings
from rules.engine.truth import every, some
from rules.language import tree
from rules.language.functions import WindowFunction
from rules.language.tree import Arithmetic, Expression, Relation
from rules.language.walk import is_truth, series_of

_RELATIONS: Final[Mapping[Relation, Callable[[Values, Values], NDArray[np.bool_]]]] = MappingProxyType(
    {
        Relation.LESS: np.less,
        Relation.AT_MOST: np.less_equal,
        Relation.GREATER: np.greater,
        Relation.AT_LEAST: np.greater_equal,
        Relation.EQUAL: np.equal,
        Relation.UNEQUAL: np.not_equal,
    }
)
_PLAIN: Final[Mapping[WindowFunction, Callable[[windows.Series, windows.Windows], windows.Series]]] = MappingProxyType(
    {
        WindowFunction.AVG: windows.avg,
        WindowFunction.MIN: windows.least,
        WindowFunction.MAX: windows.greatest,
        WindowFunction.DELTA: windows.delta,
        WindowFunction.SLOPE: windows.slope,
        WindowFunction.TREND: windows.proven_trend,
        WindowFunction.LAST: windows.last,
    }
)
_OF_TRUE: Final = (WindowFunction.COUNT, WindowFunction.TIME_SINCE)
"""Of truths these look at the true ones only."""


class Evaluation:
    """Values of one rule's expressions; each is worked out once."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._known: dict[Expression, Values] = {}

    def __call__(self, node: Expression) -> Values:
        """An expression's values, shape (n, 1) or (n, k) of the group's members."""
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._leaf(node)
        return found

    def _leaf(self, node: Expression) -> Values:  # noqa: C901, PLR0911 -- one case for each kind of node
        around = self.around
        match node:
            case tree.Series():
                return around.series(node)
            case tree.Number(value=value):
                return np.full((len(around.clock), 1), value)
            case tree.Fact(name=name):
                facts = [getattr(vehicle, name) for vehicle in around.batch.vehicles]
                return np.array([np.nan if one is None else one for one in facts], float)[around.clock.car][:, None]
            case tree.Clock():
                return np.asarray(around.clock.times * 1e-6, dtype=np.float64)[:, None]
            case tree.InState(state=state):
                return around.state(state)
            case tree.Since(state=state, window=window):
                return around.lasted(state, window)
            case tree.Code():
                return around.code(node)
            case tree.CodeCount():
                return around.code_count(node)
            case tree.Absent():
                return absent(node, around)
            case tree.Baseline(series=series):
                return usual(node, self(series), around.clock, around.memories)
            case _:
                return self._made(node)

    def _made(self, node: Expression) -> Values:  # noqa: C901, PLR0911 -- one case for each kind of node
        """Of what is made of other expressions."""
        match node:
            case tree.Convert(operand=operand, factor=factor):
                return self(operand) * factor
            case tree.Negative(operand=operand):
                return -self(operand)
            case tree.Absolute(operand=operand):
                return np.abs(self(operand))
            case tree.Calculation():
                return _calculated(node.operator, self(node.left), self(node.right))
            case tree.Comparison():
                left, right = np.broadcast_arrays(self(node.left), self(node.right))
                known = np.isfinite(left) & np.isfinite(right)
                return np.where(known, _RELATIONS[node.relation](left, right).astype(float), np.nan)
            case tree.Not(operand=operand):
                return 1.0 - self(operand)
            case tree.And(operands=operands):
                return every(map(self, operands))
            case tree.Or(operands=operands):
                return some(map(self, operands))
            case tree.Where(operand=operand, condition=condition):
                return np.where(self(condition) == 1, self(operand), np.nan)
            case tree.Over():
                return self._over(node)
            case tree.Across():
                return self._across(node)
            case _:
                raise TypeError(f"{type(node).__name__} is no expression")

    def reach(self, node: tree.Over | tree.Absent) -> Reach:
        """The operand of a window as far back as the windows reach; of truths that are counted, where they are true."""
        if isinstance(node, tree.Absent):
            return self.around.reach(node, self(node.series))
        values = self(node.operand)
        if node.function in _OF_TRUE and is_truth(node.operand):
            values = np.where(values == 1, 1.0, np.nan)
        return self.around.reach(node, values)

    def _over(self, node: tree.Over) -> Values:
        reached = self.reach(node)
        over = self.around.windows(reached.clock, node.window)
        match node.function:
            case WindowFunction.QUANTILE:
                columns = [windows.quantile(column, over, node.share) for column in reached.values.T]
            case WindowFunction.COUNT:
                columns = [windows.count(column, over) for column in reached.values.T]
            case WindowFunction.TIME_SINCE:
                heard = self.around.first_heard(reached.clock)
                columns = [windows.time_since(column, over, heard) for column in reached.values.T]
            case _:
                made = _PLAIN[node.function]
                columns = [made(np.ascontiguousarray(column), over) for column in reached.values.T]
        return reached.own(np.column_stack(columns))

    def _across(self, node: tree.Across) -> Values:
        values = self(node.operand)
        present = next(self.around.present(one) for one in series_of(node.operand) if one.group is not None)
        return across(node.function, values, present, truth=is_truth(node.operand))


def _calculated(operator: Arithmetic, left: Values, right: Values) -> Values:
    match operator:
        case Arithmetic.ADD:
            return left + right
        case Arithmetic.SUBTRACT:
            return left - right
        case Arithmetic.MULTIPLY:
            return left * right
        case Arithmetic.DIVIDE:
            left, right = np.broadcast_arrays(left, right)
            quotient: Values = np.divide(left, right, out=np.full(left.shape, np.nan), where=right != 0)
            return quotient
