"""What the weather of a region is not at the car itself: the sun it stands in, and a new home."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.confounders import Confounder
from simulator.day import Cars, Day, FloatArray, IntArray, Phase
from simulator.weather import DAY_S, HOUR_S, REGIONS, SUN_AHEAD_H

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


@dataclass(slots=True, eq=False)
class Surroundings:
    """State per car, shape (cars,)."""

    sun_k: FloatArray


def start(cars: Cars) -> Surroundings:
    """In the shade."""
    return Surroundings(np.zeros(len(cars)))


def move(cars: Cars, region: IntArray, index: int) -> None:
    """Write into `region` where every car is on this day, as position in `REGIONS`, shape (cars,)."""
    for number, car in enumerate(cars.cars):
        moved = car.oddity(Confounder.RELOCATION)
        if moved is not None:
            region[number] = (car.region + moved.shows(index)) % len(REGIONS)


def advance(state: Surroundings, day: Day) -> None:
    """How much warmer than the air the sun makes one side of the car, and the cabin with it."""
    most_k = _sun_k(day)
    if not most_k.any() and not state.sun_k.any():
        return
    driving = day.during(Phase.DRIVING)
    hour = (day.at_s % DAY_S) / HOUR_S + SUN_AHEAD_H
    shining = (hour > SUN_H[0]) & (hour < SUN_H[1]) & (day.columns["wetness"] < CLOUDLESS_WETNESS) & ~driving
    sun = day.lag(day.of(most_k) * shining, np.where(driving, AIRED_S, WARM_S), state.sun_k)
    day.columns["sun_k"] = sun
    day.columns["cabin_temp_c"] += SUN_CABIN * sun
    state.sun_k = sun[day.last]


def _sun_k(day: Day) -> FloatArray:
    low, high = SUN_K
    sides = [car.oddity(Confounder.SUNNY_SIDE) for car in day.cars.cars]
    return np.array([low + (high - low) * one.size if one and one.shows(day.index) else 0.0 for one in sides])
