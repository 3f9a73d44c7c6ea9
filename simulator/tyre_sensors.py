"""The sensors in the tyres: a battery, a transmitter, and a car that has to hear it.

A sensor transmits while its wheel turns and sleeps parked. An empty battery gives way in the cold first: transmissions
are missed, then all of them, and a car that has not heard a wheel for long enough shows no pressure for it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, IntArray, Phase
from simulator.faults import WHEELS
from simulator.instruments import AWAKE, DRIVING, Sensor, Test
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

EVERY_S: Final = 60.0
"""Between two transmissions of a turning wheel (usual; engineering estimate)."""
LOST: Final = 0.01
"""Transmissions that the car does not hear of a sound sensor (engineering estimate)."""
EMPTY_LOST: Final = 0.9
MOST_LOST: Final = 0.95
"""The same in the cold with severity 1, and at most; from then on the battery is too empty in any weather
(engineering estimates)."""
CLEARLY: Final = 3
"""So many lost in a row are no chance: a millionth of a sound sensor's."""
SILENT: Final = 10
"""Functional failure: no more than three sensors for ten minutes (Tesla's alert page)."""
BEFORE_S: Final = 21600.0
"""The cars were last driven so long before the fleet's start (engineering estimate)."""

SENSORS: Final = {f"tyre_last_seen_{wheel}_ts": Sensor(AWAKE | DRIVING) for wheel in WHEELS}


def _silent(day: Day, _: Cars) -> BoolArray:
    return day.during(Phase.DRIVING) & (day.columns["tyre_sensor_missed"] >= SILENT)


TESTS: Final = (Test("TPMS_sensor_missing", _silent, ("ambient_temp_c", "speed_kmh"), least_rows=1),)
"""The maker's own code."""


@dataclass(slots=True, eq=False)
class TyreSensors:
    """State per car."""

    heard_s: FloatArray
    """When each wheel was last heard, since the fleet's start, shape (cars, 4)."""
    missed: FloatArray
    """Transmissions of the struck wheel since it was last heard, shape (cars,)."""


def start(cars: Cars, _: FloatArray) -> TyreSensors:
    """Heard when the cars were last driven."""
    return TyreSensors(np.full((len(cars), len(WHEELS)), -BEFORE_S), np.zeros(len(cars)))


def advance(state: TyreSensors, day: Day) -> None:
    """When each wheel was last heard; no pressure for one that is silent."""
    mode, driving = FailureMode.TPMS_SENSOR_BATTERY, day.during(Phase.DRIVING)
    draws, cold = _draws(day), day.severity(mode)
    epoch_s = day.midnight.timestamp() - day.index * DAY_S
    missed, there = np.zeros(len(day)), np.zeros(len(day), dtype=np.bool_)
    faults = [car.fault(mode) for car in day.cars.cars]
    struck = [(day.rows(number), number, fault) for number, fault in enumerate(faults) if fault is not None]
    for place, wheel in enumerate(WHEELS):
        slot = np.floor(day.at_s / EVERY_S + place / len(WHEELS))
        sent = driving & (np.diff(slot, prepend=-1.0) != 0.0)
        lost = _lost(draws, place)
        for rows, number, fault in (one for one in struck if one[2].location == place):
            severity = fault.severity(day.at_s[rows])
            chance = np.where(severity >= 1.0, 1.0, np.minimum(EMPTY_LOST * cold[rows], MOST_LOST))
            lost[rows] |= draws[rows] * len(WHEELS) % 1.0 < chance
            missed[rows] = _missed(sent[rows], lost[rows], state.missed[number])
            there[rows] = severity > 0.0
            pressure = day.columns[f"tyre_pressure_{wheel}_kpa"]
            pressure[rows] = np.where(there[rows] & (missed[rows] >= SILENT), np.nan, pressure[rows])
        sent_s = (slot - place / len(WHEELS)) * EVERY_S
        day.columns[f"tyre_last_seen_{wheel}_ts"] = epoch_s + _held(state, day, place, sent & ~lost, sent_s)
    state.missed = missed[day.last]
    day.columns["tyre_sensor_missed"] = missed
    day.visible[mode] = driving & there & (missed >= CLEARLY)
    day.failed[mode] = driving & there & (missed >= SILENT)


def _lost(draws: FloatArray, place: int) -> BoolArray:
    """Where a sound sensor is not heard: a share of its quarter of the draws, so that one draw does for four."""
    quarter = draws * len(WHEELS) - place
    return np.asarray((quarter >= 0.0) & (quarter < LOST * len(WHEELS)))


def _missed(sent: BoolArray, lost: BoolArray, before: float) -> FloatArray:
    """Transmissions since the last one that was heard, one car's rows."""
    count = before + np.cumsum(sent & lost)
    heard = np.maximum.accumulate(np.where(sent & ~lost, count, 0.0))
    return np.asarray(count - heard, dtype=np.float64)


def _held(state: TyreSensors, day: Day, place: int, heard: BoolArray, sent_s: FloatArray) -> FloatArray:
    """Time of the last transmission that was heard."""
    values = np.where(heard, sent_s, 0.0)
    values[day.first] = np.where(heard[day.first], sent_s[day.first], state.heard_s[:, place])
    known: IntArray = np.where(heard, np.arange(len(day)), 0)
    known[day.first] = day.first
    last = values[np.maximum.accumulate(known)]
    state.heard_s[:, place] = last[day.last]
    return np.asarray(last)


def _draws(day: Day) -> FloatArray:
    """Uniform by row, from each car's own generator."""
    drawn = np.empty(len(day))
    for number, car in enumerate(day.cars.cars):
        rows = day.rows(number)
        drawn[rows] = generator(car.seed, Purpose.SIGNALS, car.number, day.index, 28).random(rows.stop - rows.start)
    return drawn
