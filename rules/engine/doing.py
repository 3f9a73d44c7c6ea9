"""What cars were doing at their samples, and since when: the states that expressions ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.charge_inlet import AC_MOST_A
from features.states import STATE_HELD, is_charging, is_driving, unseen_activity
from features.window import held
from rules.engine.clock import Clock, Times, clock_of, union
from rules.engine.columns import Batch, Values, sampled
from rules.engine.memory import DoingMemory, Memory, rounded
from rules.engine.truth import both, either
from rules.engine.windows import MICROSECOND
from rules.language.tree import CarState

SIGNALS: Final = ("speed_kmh", "charge_state", "hv_current_a", "charge_current_a", "odometer_km", "hv_soc_pct")
"""What tells it; their samples are what a rule on states alone is judged at."""
ASLEEP_AFTER: Final = timedelta(minutes=20)
"""A parked car that was silent for longer slept until the sample that ends the silence (engineering estimate)."""
HELD_US: Final = STATE_HELD // MICROSECOND


@dataclass(frozen=True, slots=True, eq=False)
class Doing:
    """Per sample of the signals that tell it."""

    clock: Clock
    states: dict[CarState, NDArray[np.float64]]
    since: dict[CarState, Times]
    """When the state began that the car is in; of no meaning where it is not in it."""
    rows: Values
    """The signals as they stand, shape (n, number of them)."""
    awake: NDArray[np.int64]
    """Microseconds that the car has been awake, counted from the beginning of the batch."""

    def at(self, state: CarState, clock: Clock) -> NDArray[np.float64]:
        """The state at another clock's times: a sample's stands for half an hour at most."""
        place, fresh = self._latest(clock)
        return np.where(fresh, self.states[state][place], np.nan) if len(self.clock) else np.full(len(clock), np.nan)

    def lasted(self, state: CarState, clock: Clock, most: timedelta) -> NDArray[np.float64]:
        """Seconds for which the car has been in a state at another clock's times, at most so many; 0: it is not."""
        current = self.at(state, clock)
        if not len(self.clock):
            return current
        seconds = (clock.times - self.since[state][self._latest(clock)[0]]) * 1e-6
        return np.where(current == 1, np.minimum(seconds, most.total_seconds()), current)

    def awake_within(self, clock: Clock, window: timedelta) -> NDArray[np.float64]:
        """Microseconds in the windows that end at a clock's times during which the car was awake."""
        if not len(self.clock):
            return np.zeros(len(clock))
        end = self.clock.latest(clock)
        start = np.searchsorted(self.clock.keys, clock.keys - window // MICROSECOND, side="left")
        start = np.clip(start, self.clock.starts[clock.car], np.maximum(end, 0))
        return np.where(end >= 0, self.awake[end] - self.awake[start], 0).astype(np.float64)

    def _latest(self, clock: Clock) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        place = self.clock.latest(clock)
        fresh = (place >= 0) & (clock.times - self.clock.times[place] <= HELD_US) if len(self.clock) else place >= 0
        return place, fresh

    def remembered(self, car: int) -> DoingMemory | None:
        """What to remember of one car."""
        place = int(self.clock.starts[car + 1]) - 1
        if place < self.clock.starts[car]:
            return None
        since = {str(state): int(self.since[state][place]) for state in CarState if self.states[state][place] == 1}
        return DoingMemory(int(self.clock.times[place]), rounded(self.rows[place].tolist()), since)


def doing(batch: Batch, memories: Sequence[Memory]) -> Doing:
    """What the batch's cars were doing, in the light of what they were last seen doing."""
    clock, rows = _rows(batch, memories)
    times = clock.keys.view("datetime64[us]")
    stood = {name: held(rows[:, i], times, STATE_HELD) for i, name in enumerate(SIGNALS)}
    forever = {name: held(rows[:, SIGNALS.index(name)], times, timedelta(days=365)) for name in SIGNALS[-2:]}
    driving = is_driving(stood["speed_kmh"], times)
    charging = is_charging(stood["charge_state"], stood["hv_current_a"], driving, times)
    current = stood["charge_current_a"]
    direct = np.where(np.isfinite(current), (current > AC_MOST_A).astype(float), np.nan)
    parked = 1.0 - either(driving, charging)
    moved = np.ones(len(clock), dtype=bool)
    moved[1:] = unseen_activity(rows[:, -2], rows[:, -1], times)
    moved[clock.starts[:-1][np.diff(clock.starts) > 0]] = True
    gap = np.diff(clock.times, prepend=clock.times[:1])
    before = np.concatenate(([np.nan], parked[:-1])) if len(parked) else parked
    slept = ~moved & (before != 0) & (gap > ASLEEP_AFTER // MICROSECOND)
    states = {
        CarState.DRIVING: driving,
        CarState.CHARGING: charging,
        CarState.FAST_CHARGING: both(charging, direct),
        CarState.PARKED: parked,
        CarState.ASLEEP: np.where(slept & (parked == 1), 1.0, np.where(np.isfinite(parked), 0.0, np.nan)),
    }
    since = {state: _began(clock, truth, moved) for state, truth in states.items()}
    since[CarState.ASLEEP] = np.where(slept, clock.times - gap, clock.times)
    _recall(clock, since, memories)
    awake = np.cumsum(np.where(gap <= HELD_US, np.maximum(gap, 0), 0))
    columns = [stood[name] if name not in forever else forever[name] for name in SIGNALS]
    return Doing(clock, states, since, np.column_stack(columns), awake)


def _rows(batch: Batch, memories: Sequence[Memory]) -> tuple[Clock, Values]:
    """The signals at all of their samples, with what stood last before the first of them."""
    # A signal may be known to a car and have no sample in these days.
    found = {name: batch.columns[name] for name in SIGNALS if name in batch.columns and len(batch.columns[name].clock)}
    cars = len(batch.vehicles)
    clock = union(sampled(found.values()), cars)
    if not len(clock):
        clock = clock_of([np.empty(0, np.int64)] * cars)
    earlier = [
        [one.doing.at]
        if one.doing and (clock.of(car).start == clock.of(car).stop or one.doing.at < _first(clock, car))
        else []
        for car, one in enumerate(memories)
    ]
    if any(earlier):
        clock = union((clock, clock_of([np.array(times, np.int64) for times in earlier])), cars)
    rows = np.full((len(clock), len(SIGNALS)), np.nan)
    for i, name in enumerate(SIGNALS):
        if name in found:
            place = found[name].clock.same(clock)
            rows[:, i] = np.where(place >= 0, found[name].values[place, 0], np.nan)
    for car, (times, one) in enumerate(zip(earlier, memories, strict=True)):
        if times and one.doing:
            rows[clock.of(car).start] = [np.nan if value is None else value for value in one.doing.row]
    return clock, rows


def _first(clock: Clock, car: int) -> int:
    return int(clock.times[clock.starts[car]])


def _began(clock: Clock, truth: NDArray[np.float64], moved: NDArray[np.bool_]) -> Times:
    """When the present spell of a state began, at each time."""
    before = np.concatenate(([np.nan], truth[:-1])) if len(truth) else truth
    begins = (before != 1) | moved
    return clock.times[np.maximum.accumulate(np.where(begins, np.arange(len(truth)), 0))]


def _recall(clock: Clock, since: dict[CarState, Times], memories: Sequence[Memory]) -> None:
    """Spells that go on since before the batch have begun when they are remembered to."""
    for car, one in enumerate(memories):
        if one.doing is None:
            continue
        places = clock.of(car)
        at = places.start + int(np.searchsorted(clock.times[places], one.doing.at))
        if at >= places.stop or clock.times[at] != one.doing.at:
            continue
        for state, began in one.doing.since.items():
            of_car = since[CarState(state)][places]
            of_car[of_car == since[CarState(state)][at]] = began
