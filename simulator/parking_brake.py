"""The electric parking brake: applied whenever the car is parked, and again when the caliper does not hold."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import UP, Sensor, Test
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode

SLIPS: Final = 0.003
"""Chance that a sound actuator has to try once more (engineering estimate)."""
WORN_SLIPS: Final = 0.75
MOST_SLIPS: Final = 0.95
"""The same of one with severity 1, and at most (engineering estimates)."""
TRIES: Final = 5
"""Functional failure: the control gives up after so many, and the car cannot be left alone (engineering estimate)."""
MANY: Final = 3.0
"""So many retries of one application set the code (engineering estimate)."""
APPLIED_PER_DAY: Final = 3.0
"""Before the fleet's start (engineering estimate)."""

SENSORS: Final = {"parking_brake_retries": Sensor(UP), "parking_brake_engaged": Sensor(UP)}


def _tries_again(day: Day, _: Cars) -> BoolArray:
    return day.columns["parking_brake_again"] >= MANY


TESTS: Final = (Test("EPBL_a247", _tries_again, ("parking_brake_retries",), least_rows=1),)
"""The maker's own, after Tesla's alert of that name."""


@dataclass(slots=True, eq=False)
class ParkingBrake:
    """State per car, shape (cars,)."""

    retries: FloatArray
    slipped: FloatArray
    """Of these, more than a sound actuator's."""
    engaged: FloatArray
    given_up: FloatArray
    """Times; 0 again after the repair."""


def start(cars: Cars, _: FloatArray) -> ParkingBrake:
    """Parked; the counter as the cars' age has it."""
    applied = cars.each(lambda one: one.age_years) * 365.0 * APPLIED_PER_DAY
    nothing = np.zeros(len(cars))
    return ParkingBrake(np.round(applied * SLIPS), nothing, np.ones(len(cars)), nothing.copy())


def advance(state: ParkingBrake, day: Day) -> None:
    """Apply the brake after every drive and count what it took."""
    driving = day.during(Phase.DRIVING)
    drove = np.roll(driving, 1)
    drove[day.first] = False
    applied = drove & ~driving
    worn = day.severity(FailureMode.PARKING_BRAKE_ACTUATOR)
    drawn = _draws(day, applied)
    sound = _again(drawn, np.full(len(day), SLIPS))
    again = np.where(worn > 0.0, _again(drawn, np.clip(WORN_SLIPS * worn, SLIPS, MOST_SLIPS)), sound)
    retries = day.total(again, state.retries)
    slipped = day.total(again - sound, state.slipped) * (worn > 0.0)
    given_up = day.total(indicator(again >= TRIES), state.given_up) * (worn > 0.0)
    engaged = day.recur(indicator(~(applied | driving)), indicator(applied), state.engaged)
    day.columns |= {
        "parking_brake_retries": retries,
        "parking_brake_engaged": np.where(given_up > 0.0, 0.0, engaged),
        "parking_brake_again": again,
    }
    for name, values in (("retries", retries), ("slipped", slipped), ("engaged", engaged), ("given_up", given_up)):
        setattr(state, name, values[day.last])
    day.visible[FailureMode.PARKING_BRAKE_ACTUATOR] = ~day.during(Phase.ASLEEP) & (slipped > 0.0)
    day.failed[FailureMode.PARKING_BRAKE_ACTUATOR] = (again >= TRIES) & (worn > 0.0)


def _again(drawn: FloatArray, chance: FloatArray) -> FloatArray:
    """How often a try fails before one holds, or the control gives up; `drawn`: uniform, 1 where nothing is applied."""
    return np.minimum(np.floor(np.log(drawn) / np.log(chance)), float(TRIES))


def _draws(day: Day, applied: BoolArray) -> FloatArray:
    """One for each application, from its car's own generator; 1 elsewhere."""
    drawn = np.ones(len(day))
    for number, car in enumerate(day.cars.cars):
        rows = np.flatnonzero(applied[day.rows(number)]) + day.first[number]
        if len(rows):
            # Uniform in (0, 1]: its logarithm is finite.
            drawn[rows] = 1.0 - generator(car.seed, Purpose.SIGNALS, car.number, day.index, 31).random(len(rows))
    return drawn
