"""What the car tells its driver about consumption: energy out of the battery over the distance last driven."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import Cars, Day, FloatArray, Phase
from simulator.instruments import DRIVING, Sensor

AVERAGED_KM: Final = 10.0
"""Older distance and energy are forgotten exponentially (engineering estimate)."""
LEAST_KM: Final = 0.2
"""Before that it shows nothing (engineering estimate)."""

SENSORS: Final = {"consumption_wh_km": Sensor(DRIVING)}
TESTS: Final = ()


@dataclass(slots=True, eq=False)
class TripComputer:
    """State per car, shape (cars,)."""

    used_wh: FloatArray
    driven_km: FloatArray


def start(cars: Cars, _: FloatArray) -> TripComputer:
    """Nothing driven yet."""
    return TripComputer(np.zeros(len(cars)), np.zeros(len(cars)))


def advance(state: TripComputer, day: Day) -> None:
    """Consumption at every row; NaN before the first metres."""
    driving = day.during(Phase.DRIVING)
    km = np.where(driving, day.columns["distance_m"] / 1000.0, 0.0)
    used_wh = np.where(driving, -day.columns["hv_power_kw"] * day.dt_s / 3.6, 0.0)
    kept = np.exp(-km / AVERAGED_KM)
    used = day.recur(kept, used_wh, state.used_wh)
    driven = day.recur(kept, km, state.driven_km)
    state.used_wh, state.driven_km = used[day.last], driven[day.last]
    day.columns["consumption_wh_km"] = np.where(driven > LEAST_KM, used / np.maximum(driven, LEAST_KM), np.nan)
