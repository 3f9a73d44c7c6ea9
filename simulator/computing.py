"""The infotainment computer: load, memory, restarts, and flash storage that wears out.

Every write costs a little of the flash's life. A computer that writes far too much, such as logs that nobody reads,
uses it up; storage near its rated life makes programs wait, so that the computer is slow, runs out of memory, and is
restarted by its watchdog. Updates and plain bugs restart it as well.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import UP, Sensor, Test
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

WEAR_PCT_YEAR: Final = (3.0, 8.0)
"""Of its rated life that a sound computer writes away (engineering estimate)."""
WORN_PCT: Final = 100.0
"""Functional failure: the rated life is used up."""
MOST_PCT: Final = 120.0
"""The wear counter stops there, in a storage that only reads any more."""
STRAINED_PCT: Final = 60.0
"""From here on writes have to wait: strain 1 at the rated life (engineering estimate)."""
RESTARTS_H: Final = 1.0 / 60.0
STRAINED_RESTARTS_H: Final = 3.0
"""Per hour awake: of a sound computer, every month or two; more with strain 1 (engineering estimates)."""
BOOT_S: Final = 30.0
STRAINED_BOOT_S: Final = 300.0
"""Until the computer answers: sound, and more with strain 1 (engineering estimates)."""
LOAD_PCT: Final = np.array([0.0, 22.0, 38.0, 18.0, 18.0])
"""Of the processor, by `Phase` (engineering estimates)."""
INSTALLING_PCT: Final = 15.0
WAITING_PCT: Final = 20.0
"""More while an update is installed; more with strain 1 (engineering estimates)."""
MEMORY_PCT: Final = 42.0
LEAK_PCT_H: Final = 0.25
LEAKED_PCT: Final = 25.0
UNWRITTEN_PCT: Final = 12.0
"""Memory in use after a start, what is lost of it for each hour awake and at most, and what waits to be written with
strain 1 (engineering estimates)."""
RESTARTS_YEAR: Final = 20.0
"""Before the fleet's start, those of updates with them (engineering estimate)."""

SENSORS: Final = {
    "ecu_health_cpu_pct": Sensor(UP, 3.0),
    "ecu_health_memory_pct": Sensor(UP, 0.5),
    "infotainment_reboots": Sensor(UP),
    "storage_wear_pct": Sensor(UP),
}
SENSOR_PCT: Final = 1.0
"""What is told of the wear is whole percents."""


def _worn(day: Day, _: Cars) -> BoolArray:
    return day.columns["storage_wear_pct"] >= 90.0  # noqa: PLR2004 -- engineering estimate


TESTS: Final = (Test("INFO_storage_worn", _worn, ("storage_wear_pct", "infotainment_reboots")),)
"""The maker's own code, its memory warning."""


@dataclass(slots=True, eq=False)
class Computing:
    """Constants and state per car, shape (cars,)."""

    wear_pct: FloatArray
    """At the fleet's start."""
    wear_pct_day: FloatArray
    restarts: FloatArray
    up_h: FloatArray
    """Awake since the last restart."""
    booted_s: FloatArray
    """Since the computer began to start or to wake up."""


def start(cars: Cars, _: FloatArray) -> Computing:
    """Every car's computer, as old as the car."""
    draws = np.array([generator(one.seed, Purpose.BIRTH, one.number, 32).random(3) for one in cars.cars]).reshape(-1, 3)
    age_years = cars.each(lambda one: one.age_years)
    low, high = WEAR_PCT_YEAR
    wear_pct_year = low + (high - low) * draws[:, 0]
    return Computing(
        wear_pct=age_years * wear_pct_year,
        wear_pct_day=wear_pct_year / 365.0,
        restarts=np.floor(age_years * RESTARTS_YEAR * (0.7 + 0.6 * draws[:, 1])),
        up_h=draws[:, 2] / RESTARTS_H,
        booted_s=np.full(len(cars), DAY_S),
    )


def advance(state: Computing, day: Day) -> None:
    """What the computer tells of itself; NaN while it starts."""
    severity = day.severity(FailureMode.INFOTAINMENT_STORAGE_WEAR)
    asleep = day.during(Phase.ASLEEP)
    sound_pct = day.of(state.wear_pct) + day.of(state.wear_pct_day) * day.at_s / DAY_S
    wear = np.minimum(sound_pct + (WORN_PCT - sound_pct) * severity, MOST_PCT)
    strain = np.maximum(wear - STRAINED_PCT, 0.0) / (WORN_PCT - STRAINED_PCT)
    awake_h = np.where(asleep, 0.0, day.dt_s / 3600.0)
    crashed = _chance(day) < (RESTARTS_H + STRAINED_RESTARTS_H * np.square(strain)) * awake_h
    restarted = crashed | (day.columns["update_restarts"] > 0.0)
    restarts = day.total(indicator(crashed) + day.columns["update_restarts"], state.restarts)
    up_h = day.recur(indicator(~restarted), np.where(restarted, 0.0, awake_h), state.up_h)
    booting = restarted | day.wakes
    booted_s = day.recur(indicator(~booting), np.where(booting, 0.0, day.dt_s), state.booted_s)
    answers = booted_s >= BOOT_S + STRAINED_BOOT_S * strain
    installing = (day.columns["software_update_pct"] > 0.0) & ~asleep
    columns = {
        "ecu_health_cpu_pct": LOAD_PCT[day.phase] + INSTALLING_PCT * installing + WAITING_PCT * strain,
        "ecu_health_memory_pct": MEMORY_PCT + np.minimum(LEAK_PCT_H * up_h, LEAKED_PCT) + UNWRITTEN_PCT * strain,
        "infotainment_reboots": restarts,
        "storage_wear_pct": wear,
    }
    day.columns |= {name: np.where(answers, values, np.nan) for name, values in columns.items()}
    told = answers & ~asleep
    day.visible[FailureMode.INFOTAINMENT_STORAGE_WEAR] = told & (wear - sound_pct > 3.0 * SENSOR_PCT)
    day.failed[FailureMode.INFOTAINMENT_STORAGE_WEAR] = told & (severity > 0.0) & (wear >= WORN_PCT)
    state.restarts, state.up_h, state.booted_s = restarts[day.last], up_h[day.last], booted_s[day.last]


def _chance(day: Day) -> FloatArray:
    """Draws of 0 to 1 by row."""
    chance = np.empty(len(day))
    for number, car in enumerate(day.cars.cars):
        rows = day.rows(number)
        chance[rows] = generator(car.seed, Purpose.SIGNALS, car.number, day.index, 32).random(rows.stop - rows.start)
    return chance
