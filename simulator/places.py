"""Where the car stands, as it knows places itself: by numbers of those it returns to, never a position."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.confounders import Confounder
from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import UP, Sensor

UNKNOWN: Final = 0.0
HOME: Final = 1.0
BY_DAY: Final = 2.0
"""Where a car with a post stands by day, at work or in town."""
NEW_HOME: Final = 3.0

SENSORS: Final = {"place_id": Sensor(UP)}
TESTS: Final = ()


@dataclass(slots=True, eq=False)
class Places:
    """State per car, shape (cars,)."""

    returns: FloatArray
    """The place it returns to by day, if any."""
    rounds: BoolArray
    """It does rounds: home only when they are over."""


def start(cars: Cars, _: FloatArray) -> Places:
    """Every car is at home at midnight."""
    returns = cars.each(lambda one: BY_DAY if one.owner.plugs_away else UNKNOWN)
    return Places(returns, np.array([one.owner.habit.rounds[1] > 0 for one in cars.cars], dtype=np.bool_))


def advance(state: Places, day: Day) -> None:
    """At home after every second trip and after the last; underway and at a fast charger nowhere that it knows."""
    driving = day.during(Phase.DRIVING)
    drove = np.roll(driving, 1)
    drove[day.first] = False
    trips = np.round(day.total(indicator(drove & ~driving), np.zeros(len(day.cars))))
    back = (trips == day.of(trips[day.last])) | ((trips % 2.0 == 0.0) & ~state.rounds[day.car])
    back |= trips == 0.0
    moved = [one.oddity(Confounder.RELOCATION) for one in day.cars.cars]
    home = np.array([NEW_HOME if one is not None and one.shows(day.index) else HOME for one in moved])
    parked = np.where(back, day.of(home), day.of(state.returns))
    day.columns["place_id"] = np.where(driving | day.during(Phase.CHARGING_DC), UNKNOWN, parked)
