"""The rows of a day: when each car samples, by what it does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.charging import ChargeRun
from simulator.day import BoolArray, FloatArray, IntArray, Phase
from simulator.driving import Drives
from simulator.itinerary import Trip
from simulator.profile import SamplingProfile
from simulator.sleep import TOP_UP_PAUSE_S, TOP_UP_S, Drain
from simulator.weather import DAY_S

AWAKE_BEFORE_S: Final = 30.0
"""The car wakes so long before it moves or charges (engineering estimate)."""
AWAKE_AFTER_S: Final = 600.0
"""It goes to sleep so long after it stopped (engineering estimate)."""
CLOSEST_S: Final = 2.0
"""No sample comes nearer to the one before."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the day in one phase; the car is in it until `end_s`."""

    phase: Phase
    start_s: float
    end_s: float
    top_up: bool = False
    """Awake for nothing but the low-voltage battery."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """All cars' rows, one car after the other; each car's last one is midnight."""

    counts: IntArray
    """Of each car."""
    at_s: FloatArray
    """Seconds of the day."""
    phase: NDArray[np.int8]
    wakes: BoolArray


def stretches(trips: Sequence[Trip], runs: Sequence[ChargeRun], battery: Drain) -> list[Stretch]:
    """The whole day without a gap, from midnight to midnight."""
    busy = [Stretch(Phase.DRIVING, trip.start_s, trip.end_s) for trip in trips]
    for run in runs:
        phase = Phase.CHARGING_DC if run.session.plug.public else Phase.CHARGING_AC
        busy.append(Stretch(phase, run.session.plug.start_s, run.end_s))
    day: list[Stretch] = []
    done = 0.0
    for stretch in sorted(busy, key=lambda one: one.start_s):
        day += _pause(done, stretch.start_s, battery, after=done > 0.0, before=True)
        battery.support(stretch.end_s - stretch.start_s)
        day.append(stretch)
        done = stretch.end_s
    day += _pause(done, DAY_S, battery, after=done > 0.0, before=False)
    return day


def awake_s(pause_s: float, *, after: bool) -> float:
    """How much of a pause before the next use the car is awake, top-ups aside; `after`: it was in use before."""
    longest = AWAKE_AFTER_S * after + AWAKE_BEFORE_S
    return pause_s if pause_s < longest + AWAKE_BEFORE_S else longest


def _pause(start_s: float, end_s: float, battery: Drain, *, after: bool, before: bool) -> Iterator[Stretch]:
    """Parked: awake a while after use, asleep, awake just before the next use."""
    sleep_s = min(start_s + AWAKE_AFTER_S, end_s) if after else start_s
    wake_s = end_s - AWAKE_BEFORE_S if before else end_s
    if wake_s - sleep_s < AWAKE_BEFORE_S:
        sleep_s = wake_s = end_s
    if sleep_s > start_s:
        battery.support(sleep_s - start_s)
        yield Stretch(Phase.AWAKE, start_s, sleep_s)
    slept_s = 0.0 if after else TOP_UP_PAUSE_S
    while sleep_s < wake_s:
        due_s = sleep_s + battery.sleeps_s(slept_s)
        slept_s = 0.0
        if due_s >= wake_s - AWAKE_BEFORE_S:
            battery.sleep(wake_s - sleep_s)
            yield Stretch(Phase.ASLEEP, sleep_s, wake_s)
            break
        battery.sleep(due_s - sleep_s)
        if due_s > sleep_s:
            yield Stretch(Phase.ASLEEP, sleep_s, due_s)
        sleep_s = min(due_s + TOP_UP_S, wake_s)
        battery.support(sleep_s - due_s)
        yield Stretch(Phase.AWAKE, due_s, sleep_s, top_up=True)
    if wake_s < end_s:
        yield Stretch(Phase.AWAKE, wake_s, end_s)


def lay_out(days: Sequence[Sequence[Stretch]], drives: Drives, profile: SamplingProfile, offset: FloatArray) -> Rows:
    """Sample times of everyone's day.

    Args:
        days: each car's stretches, whole.
        drives: the rows of the trips, which are the driving stretches in their order.
        profile: how often cars sample.
        offset: of each car, 0 to 1, where in its sleeping interval it looks at its battery.
    """
    flat = [stretch for day in days for stretch in day]
    in_day = np.array([len(day) for day in days], dtype=np.intp)
    phase = np.array([one.phase for one in flat], dtype=np.int8)
    end = np.array([one.end_s for one in flat])
    grids = _grids(flat, phase, np.repeat(offset, in_day), profile)
    driving = phase == Phase.DRIVING
    counts = grids.count + 1
    counts[driving] = np.bincount(drives.trip, minlength=np.count_nonzero(driving))
    last = np.cumsum(counts) - 1
    of = np.repeat(np.arange(len(flat)), counts)
    at_s = grids.origin_s[of] + (np.arange(len(of)) - (last - counts + 1 - grids.first)[of]) * grids.step_s[of]
    at_s[last] = end
    at_s[driving[of]] = drives.at_s
    wakes = np.zeros(len(of), dtype=np.bool_)
    wakes[last] = phase == Phase.ASLEEP
    whole = np.cumsum(in_day) - 1
    wakes[last[whole]] = False
    return Rows(np.diff(last[whole], prepend=-1), at_s, phase[of], wakes)


@dataclass(frozen=True, slots=True, eq=False)
class _Grids:
    """Even sample times inside stretches, shape (stretches,): ``origin + number * step`` from `first` on."""

    origin_s: FloatArray
    step_s: FloatArray
    first: IntArray
    count: IntArray


def _grids(flat: Sequence[Stretch], phase: NDArray[np.int8], offset: FloatArray, profile: SamplingProfile) -> _Grids:
    """After each stretch's start, before its end; asleep they are those of the whole day."""
    start, end = np.array([one.start_s for one in flat]), np.array([one.end_s for one in flat])
    steps = [profile.asleep_s, profile.awake_s, profile.driving_s, profile.charging_s, profile.charging_s]
    step = np.array(steps)[phase] * np.where([one.top_up for one in flat], 4.0, 1.0)
    asleep = phase == Phase.ASLEEP
    origin = np.where(asleep, offset * profile.asleep_s, start + step)
    until = np.ceil((end - CLOSEST_S - origin) / step)
    step = origin + step - origin
    first = np.maximum(np.floor((start + CLOSEST_S - origin) / step), 0.0)
    first = np.where(asleep, first + (origin + first * step <= start + CLOSEST_S), 0.0)
    return _Grids(origin, step, first.astype(np.intp), np.maximum(until - first, 0.0).astype(np.intp))
