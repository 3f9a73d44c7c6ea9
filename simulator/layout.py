"""The rows of a day: when each car samples, by what it does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.charging import ChargeRun
from simulator.day import BoolArray, FloatArray, Phase
from simulator.itinerary import Trip
from simulator.low_voltage import TOP_UP_PAUSE_S, TOP_UP_S, Drain
from simulator.profile import SamplingProfile
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
class CarRows:
    """One car's rows; the last one is midnight."""

    at_s: FloatArray
    """Seconds of the day."""
    phase: FloatArray
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
        due_s = sleep_s + max(battery.lasts_s(), TOP_UP_PAUSE_S - slept_s)
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


def lay_out(day: Sequence[Stretch], drive_rows: FloatArray, profile: SamplingProfile, offset: float) -> CarRows:
    """Sample times of a car's day.

    Args:
        day: its stretches, whole.
        drive_rows: its driving rows, seconds of the day, all trips.
        profile: how often it samples.
        offset: 0 to 1, where in its sleeping interval the car looks at its battery.
    """
    times, phases, wakes = [], [], []
    for stretch, following in zip(day, [*day[1:], None], strict=True):
        at = _times(stretch, drive_rows, profile, offset)
        times.append(at)
        phases.append(np.full(len(at), stretch.phase, dtype=np.float64))
        woken = np.zeros(len(at), dtype=np.bool_)
        woken[-1] = stretch.phase is Phase.ASLEEP and following is not None
        wakes.append(woken)
    return CarRows(np.concatenate(times), np.concatenate(phases), np.concatenate(wakes))


def _times(stretch: Stretch, drive_rows: FloatArray, profile: SamplingProfile, offset: float) -> FloatArray:
    """After the stretch's start, up to and with its end."""
    start, end = stretch.start_s, stretch.end_s
    match stretch.phase:
        case Phase.DRIVING:
            return drive_rows[(drive_rows > start) & (drive_rows <= end)]
        case Phase.ASLEEP:
            grid = np.arange(offset * profile.asleep_s, end - CLOSEST_S, profile.asleep_s)
            inside = grid[grid > start + CLOSEST_S]
        case Phase.AWAKE:
            step = 4.0 * profile.awake_s if stretch.top_up else profile.awake_s
            inside = np.arange(start + step, end - CLOSEST_S, step)
        case _:
            inside = np.arange(start + profile.charging_s, end - CLOSEST_S, profile.charging_s)
    return np.append(inside, end)
