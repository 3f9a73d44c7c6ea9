"""What cars were doing at their samples, and since when: the states that expressions ask for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.charge_inlet import AC_MOST_A
from features.states import STATE_HELD, is_charging, is_driving, unseen_activity
from features.window import held
from rules.engine.clock import Clock, Times, clock_of, union
from rules.engine.columns import Batch, Values, sampled
from rules.engine.last_seen import LastSeen
from rules.engine.memory import DoingMemory
from rules.engine.spells import Spells, spells
from rules.engine.truth import both, either
from rules.engine.windows import MICROSECOND
from rules.language.tree import CarState

SIGNALS: Final = ("speed_kmh", "charge_state", "hv_current_a", "charge_current_a", "odometer_km", "hv_soc_pct")
"""What tells it; their samples are what a rule on states alone is judged at."""
ASLEEP_AFTER: Final = timedelta(minutes=20)
"""A parked car that was silent for longer slept until the sample that ends the silence (engineering estimate)."""
_FOREVER_HELD: Final = ("odometer_km", "hv_soc_pct")
"""What these were before a silence says whether something happened in it."""
_FOREVER: Final = timedelta(days=365)
HELD_US: Final = STATE_HELD // MICROSECOND
_EVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Doing:
    """Per sample of the signals that tell it, and per time of what was last seen before them."""

    clock: Clock
    states: dict[CarState, NDArray[np.float64]]
    since: dict[CarState, Times]
    """When the state began that the car is in; of no meaning where it is not in it."""
    sampled: Values
    """The signals, shape (n, number of them); NaN: not sampled."""
    seen_before: NDArray[np.int64]
    """How many of a car's times lie before the samples of the batch, shape (cars,)."""
    _memories: dict[int, DoingMemory] = field(default_factory=dict, init=False)
    """What is remembered at a place: many rules remember the same."""

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

    def awake(self) -> Spells:
        """When the cars were awake, told by samples that follow each other soon; from what was last seen on."""
        clock = self.clock
        known = np.arange(len(clock)) >= (clock.starts[:-1] + np.maximum(self.seen_before - 1, 0))[clock.car]
        return spells(clock if known.all() else clock.at(known), HELD_US)

    def latest(self, clock: Clock) -> Times:
        """The latest time up to each of another clock's; -1: none."""
        place = self.clock.latest(clock)
        return np.where(place >= 0, self.clock.times[place], -1) if len(self.clock) else place

    def _latest(self, clock: Clock) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        place = self.clock.latest(clock)
        fresh = (place >= 0) & (clock.times - self.clock.times[place] <= HELD_US) if len(self.clock) else place >= 0
        return place, fresh

    def last_seen(self) -> list[LastSeen | None]:
        """All that the samples after this batch can rest on, car by car; None: nothing is known."""
        lasts = [self._last(car, _EVER) for car in range(self.clock.cars)]
        return [None if last is None else self._seen(last) for last in lasts]

    def remembered(self, car: int, until: int) -> DoingMemory | None:
        """All that one car's samples after a time can rest on, microseconds since 1970; None: nothing is known."""
        last = self._last(car, until)
        if last is None:
            return None
        if last not in self._memories:
            self._memories[last] = self._seen(last).memory()
        return self._memories[last]

    def _last(self, car: int, until: int) -> int | None:
        places = self.clock.of(car)
        known = int(np.searchsorted(self.clock.times[places], until, "right"))
        return places.start + known - 1 if known else None

    def _seen(self, last: int) -> LastSeen:
        """What the samples after the one at a place can rest on."""
        of_signals = self._latest_told[last]
        kept = np.unique([*of_signals[of_signals >= self.clock.starts[self.clock.car[last]]], last])
        rows = np.where(kept[:, None] == of_signals, self.sampled[kept], np.nan)
        return LastSeen(self.clock.times[kept], rows, self._since(last))

    @cached_property
    def _latest_told(self) -> NDArray[np.intp]:
        """Per sample and signal the place of its latest value, shape (n, number of them)."""
        known = np.isfinite(self.sampled)
        return np.maximum.accumulate(np.where(known, np.arange(len(self.clock))[:, None], -1), axis=0)

    def _since(self, place: int) -> dict[CarState, int]:
        return {state: int(self.since[state][place]) for state in CarState if self.states[state][place] == 1}


def doing(batch: Batch, before: Sequence[LastSeen | None]) -> Doing:
    """What the batch's cars were doing, in the light of what they were last seen doing."""
    clock, rows, seen_before = _rows(batch, before)
    times = clock.keys.view("datetime64[us]")
    told = dict(zip(SIGNALS, rows.T, strict=True))
    driving = is_driving(told["speed_kmh"], times)
    charging = is_charging(told["charge_state"], told["hv_current_a"], driving, times)
    current = held(told["charge_current_a"], times, STATE_HELD)
    direct = np.where(np.isfinite(current), (current > AC_MOST_A).astype(float), np.nan)
    parked = 1.0 - either(driving, charging)
    moved = np.ones(len(clock), dtype=bool)
    moved[1:] = unseen_activity(told["odometer_km"], told["hv_soc_pct"], times)
    moved[clock.starts[:-1][np.diff(clock.starts) > 0]] = True
    gap = np.diff(clock.times, prepend=clock.times[:1])
    earlier = np.concatenate(([np.nan], parked[:-1])) if len(parked) else parked
    slept = ~moved & (earlier != 0) & (gap > ASLEEP_AFTER // MICROSECOND)
    states = {
        CarState.DRIVING: driving,
        CarState.CHARGING: charging,
        CarState.FAST_CHARGING: both(charging, direct),
        CarState.PARKED: parked,
        CarState.ASLEEP: np.where(slept & (parked == 1), 1.0, np.where(np.isfinite(parked), 0.0, np.nan)),
    }
    since = {state: _began(clock, truth, moved) for state, truth in states.items()}
    since[CarState.ASLEEP] = np.where(slept, clock.times - gap, clock.times)
    _recall(clock, since, before)
    return Doing(clock, states, since, rows, seen_before)


def _rows(batch: Batch, before: Sequence[LastSeen | None]) -> tuple[Clock, Values, NDArray[np.int64]]:
    """The signals at all of their samples and what was last seen before the first of them, and of how many times."""
    # A signal may be known to a car and have no sample in these days.
    found = {name: batch.columns[name] for name in SIGNALS if name in batch.columns and len(batch.columns[name].clock)}
    cars = len(batch.vehicles)
    clock = union(sampled(found.values()), cars)
    if not len(clock):
        clock = clock_of([np.empty(0, np.int64)] * cars)
    told = clock_of([np.empty(0, np.int64) if one is None else one.times for one in before])
    firsts = np.where(np.diff(clock.starts) > 0, np.append(clock.times, _EVER)[clock.starts[:-1]], _EVER)
    seen_before = np.bincount(told.car[told.times < firsts[told.car]], minlength=cars)
    if (clock.same(told) < 0).any():
        clock = union((clock, told), cars)
    rows = np.full((len(clock), len(SIGNALS)), np.nan)
    for i, name in enumerate(SIGNALS):
        if name in found:
            place = found[name].clock.same(clock)
            rows[:, i] = np.where(place >= 0, found[name].values[place, 0], np.nan)
    known = np.concatenate([rows[:0], *(one.rows for one in before if one is not None)])
    places = clock.same(told)
    rows[places] = np.where(np.isnan(rows[places]), known, rows[places])
    return clock, rows, seen_before


def _began(clock: Clock, truth: NDArray[np.float64], moved: NDArray[np.bool_]) -> Times:
    """When the present spell of a state began, at each time."""
    before = np.concatenate(([np.nan], truth[:-1])) if len(truth) else truth
    begins = (before != 1) | moved
    return clock.times[np.maximum.accumulate(np.where(begins, np.arange(len(truth)), 0))]


def _recall(clock: Clock, since: dict[CarState, Times], before: Sequence[LastSeen | None]) -> None:
    """Spells that go on since before the batch have begun when they were last seen to."""
    for car, one in enumerate(before):
        if one is None:
            continue
        places = clock.of(car)
        at = places.start + int(np.searchsorted(clock.times[places], one.at))
        if at >= places.stop or clock.times[at] != one.at:
            continue
        for state, began in one.since.items():
            of_car = since[state][places]
            of_car[of_car == since[state][at]] = began
