"""Weather around each car, and the air in its cabin."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.consumption import COMFORT_C, hvac_w
from simulator.day import Cars, Day, FloatArray, IntArray, Phase, indicator
from simulator.instruments import UP, Sensor
from simulator.weather import Weather

HEAT_UP_S: Final = 420.0
"""Time constant with heating or cooling: comfortable within 15 min (engineering estimate)."""
COOL_DOWN_S: Final = 2400.0
"""Parked (engineering estimate)."""

SENSORS: Final = {
    "ambient_temp_c": Sensor(UP, 0.2, 0.5),
    "cabin_temp_c": Sensor(UP, 0.1, 0.5),
    "hvac_on": Sensor(UP),
}
TESTS: Final = ()


@dataclass(slots=True, eq=False)
class Climate:
    """Constants and state per car, shape (cars,)."""

    weather: Weather
    region: IntArray
    cabin_c: FloatArray


def start(cars: Cars, weather: Weather) -> Climate:
    """Cabins as warm as the first midnight's air."""
    region = np.array([one.region for one in cars.cars], dtype=np.intp)
    return Climate(weather, region, weather.temperature_c(region, np.zeros(len(cars))))


def daily_mean_c(state: Climate, index: int) -> FloatArray:
    """The day's mean temperature around each car, shape (cars,)."""
    hours = [
        state.weather.temperature_c(state.region, np.full(len(state.region), (index * 24 + hour) * 3600.0))
        for hour in (3, 9, 15, 21)
    ]
    return np.asarray(sum(hours) / 4.0)


def advance(state: Climate, day: Day) -> None:
    """Outside air, wetness and cabin temperature."""
    region = state.region[day.car]
    ambient = state.weather.temperature_c(region, day.at_s)
    driving = day.during(Phase.DRIVING)
    cabin = day.lag(np.where(driving, COMFORT_C, ambient), np.where(driving, HEAT_UP_S, COOL_DOWN_S), state.cabin_c)
    day.columns["ambient_temp_c"] = ambient
    day.columns["wetness"] = state.weather.wetness(region, day.at_s)
    day.columns["cabin_temp_c"] = cabin
    day.columns["hvac_on"] = indicator(driving & (hvac_w(ambient) > 0.0))
    state.cabin_c = cabin[day.last]
