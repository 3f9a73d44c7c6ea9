"""How high each car is: at home, or up in the mountains, where the air is thinner and colder."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.confounders import Confounder, Oddity
from simulator.day import BoolArray, Cars, Day, FloatArray, IntArray, Phase
from simulator.driving import Drives
from simulator.instruments import UP, Sensor
from simulator.recurrence import recur

HOME_M: Final = (20.0, 520.0)
"""Altitude of each region: Hamburg and Munich, rounded."""
MOUNTAIN_M: Final = (1000.0, 2000.0)
"""Where a stay in the mountains is (engineering estimate: Alpine resorts)."""
CLIMB_S: Final = 1200.0
"""Time constant at which a car that is driven gets there (engineering estimate)."""
COOLER_K_M: Final = 0.0065
"""Temperature falls with altitude, per metre: the standard atmosphere (ISO 2533)."""

SENSORS: Final = {"altitude_m": Sensor(UP, 4.0)}
TESTS: Final = ()


@dataclass(slots=True, eq=False)
class Altitude:
    """State per car, shape (cars,)."""

    metres: FloatArray
    told: BoolArray
    """The car tells its altitude; no other goes to the mountains."""


def start(cars: Cars) -> Altitude:
    """Everyone is at home."""
    told = np.array([one.tells_altitude for one in cars.cars], dtype=np.bool_)
    return Altitude(cars.each(lambda one: HOME_M[one.region]), told)


def cooler_on_drives(state: Altitude, cars: Cars, drives: Drives, region: IntArray, index: int) -> FloatArray:
    """How many kelvin the air is colder than at home at the rows of a day's trips, before the day is laid out."""
    if not state.told.any():
        return np.zeros(len(drives.car))
    stays = _Stays.of(cars, region, index)
    first = drives.first
    keep = np.exp(-drives.dt_s / CLIMB_S)
    gain = (1.0 - keep) * stays.height_m[drives.car]
    return stays.cooler_k(recur(keep, gain, first, state.metres[drives.car[first]]), drives.car)


def advance(state: Altitude, day: Day, region: IntArray) -> FloatArray:
    """Go where the day's trips lead; how many kelvin the air is colder there than at home, shape (n,)."""
    day.columns["altitude_m"] = np.full(len(day), np.nan)
    if not state.told.any():
        return np.zeros(len(day))
    stays = _Stays.of(day.cars, region, day.index)
    climbing = np.where(day.during(Phase.DRIVING), CLIMB_S, np.inf)
    metres = day.lag(day.of(stays.height_m), climbing, state.metres)
    day.columns["altitude_m"] = np.where(state.told[day.car], metres, np.nan)
    state.metres = metres[day.last]
    return stays.cooler_k(metres, day.car)


@dataclass(frozen=True, slots=True, eq=False)
class _Stays:
    """Where every car is heading on a day, shape (cars,)."""

    height_m: FloatArray
    home_m: FloatArray
    away: FloatArray
    """1 from the beginning of a stay in the mountains on, also on the way home."""

    @classmethod
    def of(cls, cars: Cars, region: IntArray, index: int) -> "_Stays":
        home = np.array(HOME_M)[region]
        stays = [car.oddity(Confounder.ALTITUDE) for car in cars.cars]
        up = np.array([mountain_m(one) if one and one.shows(index) else 0.0 for one in stays])
        away = np.array([one is not None and one.start_day <= index for one in stays], dtype=np.float64)
        return cls(np.maximum(home, up), home, away)

    def cooler_k(self, metres: FloatArray, car: IntArray) -> FloatArray:
        return COOLER_K_M * self.away[car] * (metres - self.home_m[car])


def mountain_m(stay: Oddity) -> float:
    """Altitude of a stay in the mountains."""
    low, high = MOUNTAIN_M
    return low + (high - low) * stay.size
