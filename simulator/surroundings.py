"""What the weather of a region is not at the car itself: the altitude it is at, the sun it stands in, a new home."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.confounders import Confounder, Oddity
from simulator.day import BoolArray, Cars, Day, FloatArray, IntArray, Phase
from simulator.instruments import UP, Sensor
from simulator.weather import DAY_S, HOUR_S, REGIONS, SUN_AHEAD_H

HOME_M: Final = (20.0, 520.0)
"""Altitude of each region: Hamburg and Munich, rounded."""
MOUNTAIN_M: Final = (1000.0, 2000.0)
"""Where a stay in the mountains is (engineering estimate: Alpine resorts)."""
CLIMB_S: Final = 1200.0
"""Time constant at which a car that is driven gets there (engineering estimate)."""
COOLER_K_M: Final = 0.0065
"""Temperature falls with altitude, per metre: the standard atmosphere (ISO 2533)."""
SUN_K: Final = (10.0, 18.0)
"""How far the sun warms dark rubber on its side of a parked car above the air (engineering estimate)."""
SUN_CABIN: Final = 1.3
"""The cabin's rise over the tyres' (engineering estimate)."""
SUN_H: Final = (9.0, 17.0)
"""Local time between which the sun stands high enough."""
CLOUDLESS_WETNESS: Final = 0.05
"""The sky has cleared once the ground is as dry as this."""
WARM_S: Final = 2400.0
AIRED_S: Final = 600.0
"""Time constants parked and driving (engineering estimates)."""

SENSORS: Final = {"altitude_m": Sensor(UP, 4.0)}
TESTS: Final = ()


@dataclass(slots=True, eq=False)
class Surroundings:
    """State per car, shape (cars,)."""

    altitude_m: FloatArray
    sun_k: FloatArray
    told: BoolArray
    """The car tells its altitude."""


def start(cars: Cars, _: FloatArray) -> Surroundings:
    """At home, in the shade."""
    home = cars.each(lambda one: HOME_M[one.region])
    return Surroundings(home, np.zeros(len(cars)), np.array([one.tells_altitude for one in cars.cars], dtype=np.bool_))


def move(cars: Cars, region: IntArray, index: int) -> None:
    """Write into `region` where every car is on this day, as position in `REGIONS`, shape (cars,)."""
    for number, car in enumerate(cars.cars):
        moved = car.oddity(Confounder.RELOCATION)
        if moved is not None:
            region[number] = (car.region + moved.shows(index)) % len(REGIONS)


def advance(state: Surroundings, day: Day, region: IntArray) -> None:
    """Altitude, the cooler air there, and how much warmer than the air the sun makes one side of the car."""
    day.columns["altitude_m"] = np.full(len(day), np.nan)
    if not state.told.any():
        return
    driving = day.during(Phase.DRIVING)
    home = np.array(HOME_M)[region]
    stays = [car.oddity(Confounder.ALTITUDE) for car in day.cars.cars]
    up = np.array([mountain_m(one) if one and one.shows(day.index) else 0.0 for one in stays])
    altitude = day.lag(day.of(np.maximum(home, up)), np.where(driving, CLIMB_S, np.inf), state.altitude_m)
    day.columns["altitude_m"] = np.where(state.told[day.car], altitude, np.nan)
    away = np.array([one is not None and one.start_day <= day.index for one in stays], dtype=np.float64)
    above = day.of(away) * (altitude - day.of(home))
    day.columns["ambient_temp_c"] = day.columns["ambient_temp_c"] - COOLER_K_M * above
    hour = (day.at_s % DAY_S) / HOUR_S + SUN_AHEAD_H
    shining = (hour > SUN_H[0]) & (hour < SUN_H[1]) & (day.columns["wetness"] < CLOUDLESS_WETNESS) & ~driving
    sun = day.lag(day.of(_sun_k(day)) * shining, np.where(driving, AIRED_S, WARM_S), state.sun_k)
    day.columns["sun_k"] = sun
    day.columns["cabin_temp_c"] += SUN_CABIN * sun
    state.altitude_m, state.sun_k = altitude[day.last], sun[day.last]


def mountain_m(stay: Oddity) -> float:
    """Altitude of a stay in the mountains."""
    low, high = MOUNTAIN_M
    return low + (high - low) * stay.size


def _sun_k(day: Day) -> FloatArray:
    low, high = SUN_K
    sides = [car.oddity(Confounder.SUNNY_SIDE) for car in day.cars.cars]
    return np.array([low + (high - low) * one.size if one and one.shows(day.index) else 0.0 for one in sides])
