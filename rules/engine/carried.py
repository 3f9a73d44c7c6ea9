"""What windows still reach back to, kept from one judgement to the next: then a batch holds what is new, and no more.

`rules.engine.memory` is what lasts. This lasts as long as the process, and saves looking at the same samples again: a
car without it is judged by a batch that holds those before the new ones, too, as over history. Of a window's operand
those values are kept that the function can still rest on; often that is one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rules.engine.clock import Clock, Places, Times, clock_of, union
from rules.engine.columns import Values
from rules.engine.last_seen import LastSeen
from rules.engine.spells import Spans
from rules.engine.windows import MICROSECOND, Series, latest_known
from rules.language.functions import WindowFunction
from rules.language.tree import Absent, Over

Chosen = NDArray[np.bool_]
_NEVER: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Values of a window's operand."""

    times: Times
    values: Values
    """Shape (n, k)."""


@dataclass(slots=True, eq=False)
class Carried:
    """Of one rule and one car."""

    through: int = _NEVER
    """The latest time that was looked at; -1: none, and the batch must hold what windows reach back to."""
    points: dict[Over | Absent, Points] = field(default_factory=dict)
    awake: Spans = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """When the car was, as far as `absent` asks."""
    doing: LastSeen | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """A window's operand as far back as windows reach, on a clock that holds the rule's own."""

    clock: Clock
    values: Values
    places: Places | None
    """Of the rule's own times; None: there are no others."""

    def own(self, values: Values) -> Values:
        """Of values on `clock` those at the rule's own times."""
        return values if self.places is None else values[self.places]


def reach(node: Over | Absent, clock: Clock, values: Values, carried: Sequence[Carried]) -> Reach:
    """An operand's values on a rule's clock, and what is carried of it before them."""
    through = np.array([one.through for one in carried], np.int64)[clock.car]
    values = np.where((clock.times > through)[:, None], values, np.nan)
    points = [one.points.get(node) for one in carried]
    if not any(points):
        return Reach(clock, values, None)
    nothing = np.empty(0, np.int64)
    before = clock_of([nothing if one is None else one.times for one in points])
    whole = union((before, clock), clock.cars)
    places, found = whole.same(clock), np.full((len(whole), values.shape[1]), np.nan)
    found[places] = values
    # The times at which the car was last seen doing something are among the clock's, but not looked at again.
    earlier = np.concatenate([_as_wide(one.values, values.shape[1]) for one in points if one is not None])
    found[whole.same(before)] = earlier
    return Reach(whole, found, places)


def carry(node: Over | Absent, reached: Reach, clock: Clock, carried: Sequence[Carried]) -> None:
    """Note the values that later windows can rest on, of cars of which there are new ones."""
    own = reached.own(reached.values)
    through = np.array([one.through for one in carried], np.int64)[clock.car]
    new = (clock.times > through) & np.isfinite(own).any(axis=1)
    for car in np.unique(clock.car[new]).tolist():
        places = reached.clock.of(car)
        times, values = reached.clock.times[places], reached.values[places]
        kept = times > int(clock.times[clock.of(car).stop - 1]) - node.window // MICROSECOND
        kept &= _still_of_use(node, values)
        carried[car].points[node] = Points(times[kept], values[kept])


def _as_wide(values: Values, width: int) -> Values:
    """As many parts as the batch's widest car has: the others are not there."""
    lacking = width - values.shape[1]
    if lacking <= 0:
        return values[:, :width]
    return np.pad(values, ((0, 0), (0, lacking)), constant_values=np.nan)


def _still_of_use(node: Over | Absent, values: Values) -> Chosen:
    """Which times hold a value that a later window's result can depend on, shape (n,)."""
    of_use = _latest if isinstance(node, Absent) else _OF_USE.get(node.function, np.isfinite)
    return np.asarray(np.any([of_use(column) for column in values.T], axis=0))


def _latest(values: Series) -> Chosen:
    return np.asarray(np.arange(len(values)) == latest_known(values)[-1])


def _greater_than_later(values: Series) -> Chosen:
    """Each that no later one reaches."""
    known = np.where(np.isfinite(values), values, -np.inf)
    later = np.append(np.maximum.accumulate(known[::-1])[::-1][1:], -np.inf)
    return np.asarray(known > later)


def _less_than_later(values: Series) -> Chosen:
    return _greater_than_later(-values)


def _where_it_changes(values: Series) -> Chosen:
    """The last two of each run of equal ones: between those it makes no difference where a window begins."""
    chosen = np.zeros(len(values), bool)
    places = np.flatnonzero(np.isfinite(values))
    known = values[places]
    last = np.append(known[1:] != known[:-1], True)[: len(known)]
    chosen[places] = last | np.append(last[1:], True)[: len(known)]
    return chosen


_OF_USE: Final[Mapping[WindowFunction, Callable[[Series], Chosen]]] = MappingProxyType(
    {
        WindowFunction.LAST: _latest,
        WindowFunction.TIME_SINCE: _latest,
        WindowFunction.MAX: _greater_than_later,
        WindowFunction.MIN: _less_than_later,
        WindowFunction.DELTA: _where_it_changes,
    }
)
"""Other functions rest on every known value."""
