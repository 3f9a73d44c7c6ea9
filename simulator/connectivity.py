"""The gateway: its clock, its link to the outside, and which samples do not leave the car.

Asleep the clock runs on its own crystal; awake it follows the network's. A gateway with a bad antenna or SIM card drops
out for twenty minutes or more at a time. What it should have sent then is lost, and when it comes back it starts
from a time that it had stored, until the network has set it right again: samples bear times that are too early.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.fault_modes import FAULT_MODES
from simulator.instruments import ALWAYS, Sensor
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.batch import Event, EventKind
from vehicle.failure import FailureMode

CRYSTAL_PPM: Final = 20.0
"""Clock crystals are off by up to so much (data sheets of 32 kHz crystals)."""
SPELL_S: Final = 1200.0
"""The link is gone for so long or a multiple of it (engineering estimate)."""
OFFLINE: Final = 0.55
OFFLINE_MOST: Final = 0.9
"""Share of the spells that are lost at severity 1, and at most (engineering estimates)."""
STORED_S: Final = 30.0
"""How old the time is that the gateway comes back with (engineering estimate); it must be shorter than a spell, so that
its clock never shows the same time twice."""
SYNC_S: Final = 3600.0
"""Time constant at which the network sets it right (engineering estimate)."""
NOTICED: Final = 3.0 * SPELL_S / DAY_S
"""Three lost spells in the last day are no chance: a sound gateway has none."""
FAILED: Final = 0.5
"""Functional failure: offline for so much of the last day (engineering estimate)."""
SENSOR_MS: Final = 5.0

SENSORS: Final = {"clock_offset_ms": Sensor(ALWAYS, SENSOR_MS)}
TESTS: Final = ()


@dataclass(slots=True, eq=False)
class Connectivity:
    """Constants and state per car, shape (cars,)."""

    drift_ppm: FloatArray
    unset_s: FloatArray
    """For how long nobody has set the clock."""
    late_s: FloatArray
    """What a restart has left the clock behind."""
    offline: BoolArray
    share: FloatArray
    """Of the last day, offline."""


def start(cars: Cars, _: FloatArray) -> Connectivity:
    """Every car's gateway, online."""
    draws = [generator(one.seed, Purpose.BIRTH, one.number, 33).uniform(-CRYSTAL_PPM, CRYSTAL_PPM) for one in cars.cars]
    return Connectivity(
        drift_ppm=np.array(draws),
        unset_s=np.zeros(len(cars)),
        late_s=np.zeros(len(cars)),
        offline=np.zeros(len(cars), dtype=np.bool_),
        share=np.zeros(len(cars)),
    )


def advance(state: Connectivity, day: Day) -> None:
    """The clock's offset; `offline`, where samples are lost; `clock_late_s`, by how much their times are too early."""
    offline = _offline(day)
    before = np.roll(offline, 1)
    before[day.first] = state.offline
    unset = offline | day.during(Phase.ASLEEP)
    unset_s = day.recur(indicator(unset), np.where(unset, day.dt_s, 0.0), state.unset_s)
    late_s = day.recur(np.exp(-day.dt_s / SYNC_S), STORED_S * indicator(before & ~offline), state.late_s)
    share = day.lag(indicator(offline), DAY_S, state.share)
    day.columns |= {
        "clock_offset_ms": day.of(state.drift_ppm) * unset_s / 1000.0 - 1000.0 * late_s,
        "offline": indicator(offline),
        "clock_late_s": late_s,
    }
    noticed = (1000.0 * late_s > 3.0 * SENSOR_MS) | (share > NOTICED)
    day.visible[FailureMode.CONNECTIVITY_LOSS] = ~offline & noticed
    day.failed[FailureMode.CONNECTIVITY_LOSS] = share > FAILED
    for row in np.flatnonzero(offline != before):
        at = day.midnight + timedelta(seconds=float(day.at_s[row]) - day.index * DAY_S)
        status = {"status": "DISCONNECTED" if offline[row] else "CONNECTED"}
        day.events[int(day.car[row])].append(Event(at, EventKind.CONNECTIVITY, details=status))
    state.unset_s, state.late_s = unset_s[day.last], late_s[day.last]
    state.offline, state.share = offline[day.last], share[day.last]


def _offline(day: Day) -> BoolArray:
    """Rows at which a car's link is down: whole spells, drawn for the cars that have the fault."""
    offline = np.zeros(len(day), dtype=np.bool_)
    spells = day.index * DAY_S + np.arange(0.0, DAY_S, SPELL_S)
    key = FAULT_MODES[FailureMode.CONNECTIVITY_LOSS].key
    for number, car in enumerate(day.cars.cars):
        fault = car.fault(FailureMode.CONNECTIVITY_LOSS)
        if fault is not None:
            chance = generator(car.seed, Purpose.FAULT, car.number, key, day.index).random(len(spells))
            down = chance < np.minimum(OFFLINE * fault.severity(spells), OFFLINE_MOST)
            rows = day.rows(number)
            offline[rows] = down[np.searchsorted(spells, day.at_s[rows], side="right") - 1]
    return offline


def lossy(day: Day) -> BoolArray:
    """Cars of which not every sample leaves, or not under its true time, shape (cars,)."""
    trouble = (day.columns["offline"] > 0.0) | (day.columns["clock_late_s"] != 0.0)
    cars: BoolArray = np.logical_or.reduceat(trouble, day.first)
    return cars


def sent(
    day: Day, number: int, times: NDArray[np.datetime64], columns: dict[str, FloatArray]
) -> tuple[NDArray[np.datetime64], dict[str, FloatArray]]:
    """What leaves a lossy car of its first samples of the day, under the times that its gateway gives them.

    Args:
        day: lived.
        number: of the car, as position in the day's cars.
        times: true, shape (n,).
        columns: per signal shape (n,) or (n, k).
    """
    rows = slice(int(day.first[number]), int(day.first[number]) + len(times))
    late_s = day.columns["clock_late_s"][rows]
    online = day.columns["offline"][rows] == 0.0
    early = times - np.round(late_s * 1000.0).astype("timedelta64[ms]")
    left = {name: values[online] for name, values in columns.items()}
    return early[online], {name: values for name, values in left.items() if not np.isnan(values).all()}
