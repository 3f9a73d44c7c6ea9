"""The air around each car, and the air in its cabin, which waits for a refrigerant circuit that cannot keep up."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator import altitude, refrigerant
from simulator.altitude import Altitude
from simulator.consumption import COMFORT_C, hvac_w
from simulator.day import Cars, Day, FloatArray, IntArray, Phase, indicator
from simulator.driving import Drives
from simulator.instruments import UP, Sensor
from simulator.recurrence import recur
from simulator.weather import DAY_S, Weather

HEAT_UP_S: Final = 420.0
"""Time constant with heating or cooling: comfortable within 15 min (engineering estimate)."""
COOL_DOWN_S: Final = 2400.0
"""Parked (engineering estimate)."""
HELD_W_K: Final = 200.0
PULLED_W_K: Final = 230.0
"""Heat that keeps the cabin comfortable, per kelvin to the outside air beyond the 3 K that need none, and that brings
it there, per kelvin to comfort: `HVAC_W_K` of power, and 96 kJ/K in `HEAT_UP_S` (engineering estimates)."""
HELD_FREE_K: Final = 3.0

SENSORS: Final = {
    "ambient_temp_c": Sensor(UP, 0.2, 0.5),
    "cabin_temp_c": Sensor(UP, 0.1, 0.5),
    "hvac_on": Sensor(UP),
    **refrigerant.SENSORS,
}
TESTS: Final = refrigerant.TESTS


@dataclass(slots=True, eq=False)
class Climate:
    """Constants and state per car, shape (cars,)."""

    weather: Weather
    region: IntArray
    altitude: Altitude
    cabin_c: FloatArray
    wanted_c: FloatArray
    """The cabin's temperature with a sound refrigerant circuit: what its control follows."""


def start(cars: Cars, weather: Weather) -> Climate:
    """Cabins as warm as the first midnight's air."""
    region = np.array([one.region for one in cars.cars], dtype=np.intp)
    ambient_c = weather.temperature_c(region, np.zeros(len(cars)))
    return Climate(weather, region, altitude.start(cars), ambient_c, ambient_c.copy())


def daily_mean_c(state: Climate, index: int) -> FloatArray:
    """The day's mean temperature around each car, shape (cars,)."""
    hours = [
        state.weather.temperature_c(state.region, np.full(len(state.region), (index * 24 + hour) * 3600.0))
        for hour in (3, 9, 15, 21)
    ]
    return np.asarray(sum(hours) / 4.0)


def hourly_wetness(state: Climate, index: int) -> FloatArray:
    """How wet each car's underside is through the day, by the hour, shape (cars, 24)."""
    hours = np.tile((index * 24.0 + np.arange(24)) * 3600.0, len(state.region))
    return state.weather.wetness(np.repeat(state.region, 24), hours).reshape(-1, 24)


def _heat_w(ambient_c: FloatArray, wanted_c: FloatArray) -> FloatArray:
    """Heat that holds the cabin, and brings it to comfort as far as it is not."""
    gap = np.abs(ambient_c - COMFORT_C) - HELD_FREE_K
    pull = np.maximum((wanted_c - COMFORT_C) * np.sign(ambient_c - COMFORT_C), 0.0)
    return np.minimum(HELD_W_K * gap + PULLED_W_K * pull, refrigerant.CAPACITY_W)


def power_w(state: Climate, cars: Cars, drives: Drives, index: int) -> FloatArray:
    """What the compressor will take at the rows of a day's trips, before the day is laid out.

    The battery pays this, and the day shows it; a pause is one step of the cabin's lag, towards the air of its end.
    """
    at_s = index * DAY_S + drives.at_s
    cooler = altitude.cooler_on_drives(state.altitude, cars, drives, state.region, index)
    ambient = state.weather.temperature_c(state.region[drives.car], at_s) - cooler
    first = drives.first
    since_s = np.diff(drives.at_s, prepend=0.0)
    since_s[first] = drives.at_s[first]
    parked = np.exp(-(since_s - drives.dt_s) / COOL_DOWN_S)
    driven = np.exp(-drives.dt_s / HEAT_UP_S)
    gain = driven * (1.0 - parked) * ambient + (1.0 - driven) * COMFORT_C
    wanted = recur(driven * parked, gain, first, state.wanted_c[drives.car[first]])
    worn, leak = (cars.severity(mode, drives.car, at_s) for mode in refrigerant.MODES)
    return refrigerant.circuit(ambient, hvac_w(ambient) > 0.0, _heat_w(ambient, wanted), worn, leak).power_w


def advance(state: Climate, day: Day) -> None:
    """Altitude, outside air, wetness, refrigerant circuit and cabin temperature."""
    region = state.region[day.car]
    cooler = altitude.advance(state.altitude, day, state.region)
    ambient = state.weather.temperature_c(region, day.at_s) - cooler
    driving = day.during(Phase.DRIVING)
    running = driving & (hvac_w(ambient) > 0.0)
    day.columns["ambient_temp_c"] = ambient
    day.columns["wetness"] = state.weather.wetness(region, day.at_s)
    day.columns["hvac_on"] = indicator(running)
    wanted = day.lag(np.where(driving, COMFORT_C, ambient), np.where(driving, HEAT_UP_S, COOL_DOWN_S), state.wanted_c)
    share = refrigerant.advance(day, running, _heat_w(ambient, wanted))
    # With less heat than wanted the cabin settles where that balances what it loses, and gets there more slowly.
    slower = share + (1.0 - share) * HEAT_UP_S / COOL_DOWN_S
    comfort = COMFORT_C - (1.0 - share) * HEAT_UP_S / COOL_DOWN_S / slower * (COMFORT_C - ambient)
    cabin = day.lag(
        np.where(driving, comfort, ambient), np.where(driving, HEAT_UP_S / slower, COOL_DOWN_S), state.cabin_c
    )
    day.columns["cabin_temp_c"] = cabin
    state.cabin_c, state.wanted_c = cabin[day.last], wanted[day.last]
