"""What a rule's expressions are evaluated in: its clock, the series on it, and what cars were doing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rules.engine import codes
from rules.engine.clock import Clock, union
from rules.engine.columns import Batch, Column, Values, sampled
from rules.engine.doing import Doing, doing
from rules.engine.memory import Memory
from rules.engine.needs import Needs, is_meant
from rules.engine.recall import recalled
from rules.engine.recent import recent
from rules.engine.windows import MICROSECOND, Windows, count, latest_known, windows
from rules.language.tree import Absent, CarState, Code, CodeCount, Series

AWAKE_ENOUGH: Final = timedelta(hours=1)
"""A series is absent once the car was awake for so long in the window, or all of it (engineering estimate)."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One rule over one batch."""

    batch: Batch
    memories: Sequence[Memory]
    remembered: dict[str, Column]
    """Features and trouble codes, those that are remembered too."""
    doing: Doing | None
    clock: Clock

    def column(self, name: str) -> Column | None:
        """A signal, feature or trouble code; None: nothing is known of it."""
        return self.remembered.get(name) or self.batch.columns.get(name)

    def series(self, node: Series) -> Values:
        """A series along the clock, shape (n, k)."""
        parts = [self._along(name) for name in node.members]
        return parts[0] if len(parts) == 1 else np.column_stack(parts)

    def present(self, node: Series) -> NDArray[np.bool_]:
        """Which of its parts cars have: shape (n, k) or (1, k)."""
        column = self.column(node.members[0])
        if len(node.members) > 1 or column is None:
            return np.ones((1, len(node.members)), dtype=bool)
        return column.present(self.clock)

    def windows(self, length: timedelta) -> Windows:
        """The windows that end at the clock's times."""
        return self.batch.once((id(self.clock), length), lambda: windows(self.clock, length))

    def state(self, state: CarState) -> Values:
        """Whether the car is in a state."""
        return self._doing().at(state, self.clock)[:, None]

    def lasted(self, state: CarState, most: timedelta) -> Values:
        """Seconds for which it has been."""
        return self._doing().lasted(state, self.clock, most)[:, None]

    def code(self, node: Code) -> Values:
        """Whether a trouble code is set."""
        return codes.is_set(self._told(node.code), node.status, self.clock)[:, None]

    def code_count(self, node: CodeCount) -> Values:
        """How often one has come."""
        return codes.times_set(self._told(node.code), node.status, node.window, self.clock)[:, None]

    def absent(self, node: Absent) -> Values:
        """Whether a series is silent although the car is awake; unknown where it was never heard."""
        values, enough = self.series(node.series), min(node.window, AWAKE_ENOUGH) // MICROSECOND
        awake = self._doing().awake_within(self.clock, node.window)
        result = np.zeros(values.shape)
        for part, column in enumerate(values.T):
            ever = self._ever(f"{node.series.name} {part}", column)
            silent = count(column, self.windows(node.window)) == 0
            result[:, part] = np.where(silent, np.where(ever & (awake >= enough), 1.0, np.nan), 0.0)
        return result

    def first_heard(self) -> NDArray[np.int64]:
        """The first time of each time's car, as far as it is remembered."""
        firsts = [
            memory.first if memory.first >= 0 else int(self.clock.times[start]) if start < end else 0
            for memory, start, end in zip(self.memories, self.clock.starts[:-1], self.clock.starts[1:], strict=True)
        ]
        return np.array(firsts, np.int64)[self.clock.car]

    def _doing(self) -> Doing:
        if self.doing is None:
            raise ValueError("the rule was not said to need states")
        return self.doing

    def _ever(self, label: str, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a part of a series was heard before or at each time; takes note of it."""
        ever = latest_known(values) >= self.clock.starts[self.clock.car]
        for car, memory in enumerate(self.memories):
            places = self.clock.of(car)
            if label in memory.heard:
                ever[places] = True
            elif ever[places].any():
                memory.heard.append(label)
        return ever

    def _told(self, pattern: str) -> list[Column]:
        return [column for name, column in self.remembered.items() if is_meant(name, pattern)]

    def _along(self, name: str) -> Values:
        if name in self.remembered:
            return self._fetched(self.remembered[name])
        column = self.batch.columns.get(name)
        if column is None:
            return np.full((len(self.clock), 1), np.nan)
        return self.batch.once((id(self.clock), name), lambda: self._fetched(column))

    def _fetched(self, column: Column) -> Values:
        if column.clock is self.clock:
            return column.values
        place = column.clock.same(self.clock)
        if not len(column.clock):
            return np.full((len(self.clock), column.values.shape[1]), np.nan)
        return np.where((place >= 0)[:, None], column.values[place], np.nan)


def surround(needed: Needs, batch: Batch, memories: Sequence[Memory]) -> Surroundings:
    """What a rule is evaluated in: it is judged at the samples of the series that it names."""
    asked = needed.states or needed.beats
    doings = _doing(recent(batch, memories, needed.state_reach), memories) if asked else None
    batch = recent(batch, memories, needed.reach)
    remembered = recalled(needed, batch, memories)
    names = [name for one in needed.series for name in one.members]
    clocks = [remembered[name].clock for name in remembered]
    if doings is not None and needed.beats:
        clocks.append(doings.clock)
    told = tuple(sorted({name for name in names if name in batch.columns and name not in remembered}))
    clocks += batch.once(told, lambda: sampled([batch.columns[name] for name in told]))
    key = tuple(map(id, clocks))
    clock = batch.once(("clock", key), lambda: (clocks, union(clocks, len(batch.vehicles))))[1]
    return Surroundings(batch, memories, remembered, doings, clock)


def _doing(batch: Batch, memories: Sequence[Memory]) -> Doing:
    """What cars were doing: the same for all rules that remember the same of it."""
    key = tuple(one.doing and (one.doing.at, *sorted(one.doing.since.items())) for one in memories)
    return batch.once(("doing", key), lambda: doing(batch, memories))
