"""What a rule's expressions are evaluated in: its clock, the series on it, and what cars were doing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from rules.engine import codes
from rules.engine.carried import Carried, Reach, carry, reach
from rules.engine.clock import Clock, Places, union
from rules.engine.columns import Batch, Column, Values, sampled
from rules.engine.doing import Doing, doing
from rules.engine.last_seen import LastSeen
from rules.engine.memory import Memory
from rules.engine.needs import Needs, is_meant
from rules.engine.recall import recalled
from rules.engine.recent import recent
from rules.engine.windows import MICROSECOND, Windows, windows
from rules.language.tree import Absent, CarState, Code, CodeCount, Over, Series


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One rule over one batch."""

    batch: Batch
    memories: Sequence[Memory]
    remembered: dict[str, Column]
    """Features and trouble codes, those that are remembered too."""
    doing: Doing | None
    clock: Clock
    states_back: timedelta
    """How long before a sample the states lie that windows ask for."""
    carried: Sequence[Carried] | None = None
    """What windows reach back to, if the batch does not hold it."""
    reached: dict[Over | Absent, Reach] = field(default_factory=dict)

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

    def reach(self, node: Over | Absent, values: Values) -> Reach:
        """The values of a window's operand on the clock, and those before them that windows reach back to."""
        if self.carried is None:
            return Reach(self.clock, values, None)
        if node not in self.reached:
            self.reached[node] = reach(node, self.clock, values, self.carried)
        return self.reached[node]

    def windows(self, clock: Clock, length: timedelta) -> Windows:
        """The windows that end at a clock's times."""
        if clock is not self.clock:
            return windows(clock, length)
        return self.batch.once((id(clock), length), lambda: windows(clock, length))

    def state(self, state: CarState) -> Values:
        """Whether the car is in a state."""
        return self.doings.at(state, self.clock)[:, None]

    def lasted(self, state: CarState, most: timedelta) -> Values:
        """Seconds for which it has been."""
        return self.doings.lasted(state, self.clock, most)[:, None]

    def code(self, node: Code) -> Values:
        """Whether a trouble code is set."""
        return codes.is_set(self._told(node.code), node.status, self.clock)[:, None]

    def code_count(self, node: CodeCount) -> Values:
        """How often one has come."""
        return codes.times_set(self._told(node.code), node.status, node.window, self.clock)[:, None]

    def first_heard(self, clock: Clock) -> NDArray[np.int64]:
        """The first time of each car at a clock's times, as far as it is remembered."""
        firsts = [
            memory.first if memory.first >= 0 else int(self.clock.times[start]) if start < end else 0
            for memory, start, end in zip(self.memories, self.clock.starts[:-1], self.clock.starts[1:], strict=True)
        ]
        return np.array(firsts, np.int64)[clock.car]

    def remember_doing(self, car: int) -> None:
        """Note what the samples can rest on that the next run looks at, those that windows reach back to among them."""
        memory = self.memories[car]
        if self.doing is not None:
            until = memory.judged - self.states_back // MICROSECOND
            memory.doing = self.doing.remembered(car, until) or memory.doing

    def carry(self) -> None:
        """Note what later samples can rest on, and that these have been looked at."""
        if self.carried is None:
            return
        for node, reached in self.reached.items():
            carry(node, reached, self.clock, self.carried)
        if self.doing is not None:
            last_seen = self.batch.once(("last seen", id(self.doing)), self.doing.last_seen)
            for one, seen in zip(self.carried, last_seen, strict=True):
                one.doing = seen
        for car in np.flatnonzero(np.diff(self.clock.starts)).tolist():
            one = self.carried[car]
            one.through = max(one.through, int(self.clock.times[self.clock.starts[car + 1] - 1]))

    @property
    def doings(self) -> Doing:
        """What cars were doing, of a rule that asks for it."""
        if self.doing is None:
            raise ValueError("the rule was not said to need states")
        return self.doing

    def _told(self, pattern: str) -> list[Column]:
        return [column for name, column in self.remembered.items() if is_meant(name, pattern)]

    def _along(self, name: str) -> Values:
        column = self.column(name)
        if column is None:
            return np.full((len(self.clock), 1), np.nan)
        if column.clock is self.clock:
            return column.values
        if name in self.remembered:
            return _fetched(column, column.clock.same(self.clock))
        return self.batch.once((id(self.clock), name), lambda: _fetched(column, self._places(column.clock)))

    def _places(self, clock: Clock) -> Places:
        """Where a clock of the batch has this one's times; the signals of a sender share it."""
        return self.batch.once(("places", id(clock), id(self.clock)), lambda: clock.same(self.clock))


def _fetched(column: Column, places: Places) -> Values:
    """A column's values at places of it, NaN where that is -1."""
    if not len(column.clock):
        return np.full((len(places), column.values.shape[1]), np.nan)
    return np.where((places >= 0)[:, None], column.values[places], np.nan)


def surround(
    needed: Needs, batch: Batch, memories: Sequence[Memory], carried: Sequence[Carried] | None = None
) -> Surroundings:
    """What a rule is evaluated in: it is judged at the samples of the series that it names."""
    asked = needed.states or needed.beats
    doings = _doing(recent(batch, memories, needed.state_reach), memories, carried) if asked else None
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
    return Surroundings(batch, memories, remembered, doings, clock, needed.states_back, carried)


def _doing(batch: Batch, memories: Sequence[Memory], carried: Sequence[Carried] | None) -> Doing:
    """What cars were doing: the same for all rules that know the same of what they did before."""
    seen = [None] * len(memories) if carried is None else [one.doing for one in carried]
    key = tuple(
        id(one) if one is not None else memory.doing and msgspec.json.encode(memory.doing)
        for one, memory in zip(seen, memories, strict=True)
    )

    def make() -> Doing:
        return doing(batch, [one or _remembered(memory) for one, memory in zip(seen, memories, strict=True)])

    return batch.once(("doing", key), make)


def _remembered(memory: Memory) -> LastSeen | None:
    return None if memory.doing is None else LastSeen.remembered(memory.doing)
