"""What of a batch a rule needs: the samples it has not judged, and those before them that its windows reach back to.

A batch holds as much of the past as the rule with the longest windows asks for; most rules look back minutes of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.states import STATE_HELD
from rules.engine.clock import Clock, Times
from rules.engine.columns import Batch, Column
from rules.engine.memory import Memory
from rules.engine.windows import MICROSECOND
from vehicle.signals import CATALOGUE

Chosen = NDArray[np.bool_]
_STEP_US: Final = 300_000_000
"""Begins are rounded down to five minutes, so that rules which have judged nearly as far share what is cut."""
_WORTH_CUTTING: Final = 0.4
"""At most this share of the batch's time is left; else it costs less to look at all of it, as all rules do together."""


def recent(batch: Batch, memories: Sequence[Memory], reach: timedelta) -> Batch:
    """The batch with what a rule has not judged of its signals, and what lies so long before that."""
    back = (reach + STATE_HELD) // MICROSECOND
    begins = np.array([(one.judged - back) // _STEP_US * _STEP_US if one.judged >= 0 else 0 for one in memories])
    first, last = batch.once("extent", lambda: _extent(batch))
    if np.maximum(last - np.maximum(begins, first), 0).sum() > _WORTH_CUTTING * (last - first).sum():
        return batch
    part: Batch = batch.once(("recent", begins.tobytes()), lambda: Batch(batch.vehicles, _Cut(batch.columns, begins)))
    return part


def _extent(batch: Batch) -> tuple[Times, Times]:
    """Each car's first and last sample in any column; 0 of a car without."""
    first, last = np.full(len(batch.vehicles), np.iinfo(np.int64).max), np.zeros(len(batch.vehicles), np.int64)
    for clock in {id(column.clock): column.clock for column in batch.columns.values()}.values():
        sampled = np.diff(clock.starts) > 0
        first[sampled] = np.minimum(first[sampled], clock.times[clock.starts[:-1][sampled]])
        last[sampled] = np.maximum(last[sampled], clock.times[clock.starts[1:][sampled] - 1])
    return np.minimum(first, last), last


class _Cut(Mapping[str, Column]):
    """Columns without the samples up to each car's begin, cut when they are asked for; those of one clock share one."""

    def __init__(self, columns: Mapping[str, Column], begins: Times) -> None:
        self._columns = columns
        self._begins = begins
        self._known: dict[str, Column] = {}
        self._clocks: dict[int, tuple[Chosen, Clock]] = {}

    def __getitem__(self, name: str) -> Column:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._cut(name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def _cut(self, name: str) -> Column:
        column = self._columns[name]
        # Features and trouble codes are remembered, and few.
        if name not in CATALOGUE:
            return column
        clock = column.clock
        if id(clock) not in self._clocks:
            chosen = clock.times > self._begins[clock.car]
            self._clocks[id(clock)] = (chosen, clock if chosen.all() else clock.at(chosen))
        chosen, cut = self._clocks[id(clock)]
        return column if cut is clock else Column(cut, column.values[chosen], column.members, column.widths)
