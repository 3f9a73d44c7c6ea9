"""Weather by region: temperature with season, time of day, fronts and one cold snap; rain and how long it stays wet."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.randomness import Purpose, generator

HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0
SUN_AHEAD_H: Final = 1.0
"""Local time less UTC: the fleet lives in central Europe and ignores summer time."""


@dataclass(frozen=True, slots=True)
class Region:
    """A climate; figures after the 1991-2020 normals of Hamburg and Munich (DWD), rounded."""

    name: str
    mean_c: float
    season_c: float
    """Half the difference between the monthly means of July and January."""
    day_c: float
    """Half the mean daily range."""
    rain_starts_per_hour: float


REGIONS: Final = (Region("north", 9.8, 8.2, 3.5, 0.035), Region("south", 9.6, 9.7, 4.8, 0.028))

WARMEST_DAY: Final = 201
"""Of the year: 20 July, as the normals have it."""
WARMEST_HOUR: Final = 15.0
FRONT_C: Final = 3.0
"""Standard deviation of the daily mean around the season's (engineering estimate; DWD daily means: 3 to 4 K)."""
FRONT_MEMORY: Final = 0.75
"""Correlation of a day's deviation with the next one's (engineering estimate)."""
SNAP_C: Final = 11.0
"""How far a cold snap pulls the temperature down, within a day (engineering estimate)."""
SNAP_DAYS: Final = 5.0
RAIN_STOPS_PER_HOUR: Final = 0.25
"""Showers of four hours on average, wet about 12 % of the time (engineering estimate)."""
SOAK_H: Final = 0.7
DRY_H: Final = 5.0
"""Time constants of getting wet and drying under the car (engineering estimates)."""


@dataclass(frozen=True, slots=True)
class ColdSnap:
    """When a region is in its cold snap, in days since the fleet's start."""

    start_day: float
    end_day: float


class Weather:
    """The weather of every region over the fleet's days, by the hour."""

    def __init__(self, seed: int, start: date, days: int) -> None:
        rooms = (days + 2) * 24
        self._temperature = np.empty((len(REGIONS), rooms))
        self._wetness = np.empty((len(REGIONS), rooms))
        self.snaps: tuple[ColdSnap, ...] = ()
        for number, region in enumerate(REGIONS):
            rng = generator(seed, Purpose.WEATHER, number)
            snap_day = float(rng.uniform(0.35, 0.75)) * max(days - SNAP_DAYS, 0.0)
            self.snaps += (ColdSnap(snap_day, snap_day + SNAP_DAYS),)
            hours = np.arange(rooms, dtype=np.float64)
            self._temperature[number] = _season(region, start, hours) + _fronts(rng, hours)
            self._temperature[number] -= SNAP_C * _snap(self.snaps[number], hours / 24.0)
            self._wetness[number] = _wetness(rng, region, rooms)

    def temperature_c(self, region: NDArray[np.intp], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Air temperature in the shade, of one region per time."""
        return _read(self._temperature, region, at_s)

    def wetness(self, region: NDArray[np.intp], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """How wet a car's underside is: 0 dry to 1 soaked."""
        return _read(self._wetness, region, at_s)


def _read(series: NDArray[np.float64], region: NDArray[np.intp], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    hour = np.clip(at_s / HOUR_S, 0.0, series.shape[1] - 1.001)
    before = hour.astype(np.intp)
    share = hour - before
    return series[region, before] * (1.0 - share) + series[region, before + 1] * share


def _season(region: Region, start: date, hours: NDArray[np.float64]) -> NDArray[np.float64]:
    day_of_year = start.timetuple().tm_yday + hours / 24.0
    season = np.cos(2.0 * math.pi * (day_of_year - WARMEST_DAY) / 365.25)
    day = np.cos(2.0 * math.pi * (hours + SUN_AHEAD_H - WARMEST_HOUR) / 24.0)
    return region.mean_c + region.season_c * season + region.day_c * day


def _fronts(rng: np.random.Generator, hours: NDArray[np.float64]) -> NDArray[np.float64]:
    days = len(hours) // 24 + 2
    shocks = rng.standard_normal(days) * FRONT_C
    deviation = np.empty(days)
    deviation[0] = shocks[0]
    fresh = math.sqrt(1.0 - FRONT_MEMORY**2)
    for day in range(1, days):
        deviation[day] = FRONT_MEMORY * deviation[day - 1] + fresh * shocks[day]
    return np.interp(hours / 24.0, np.arange(days), deviation)


def _snap(snap: ColdSnap, days: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 inside the snap, with a day to fall and a day to rise again."""
    edges = [snap.start_day, snap.start_day + 1.0, snap.end_day - 1.0, snap.end_day]
    return np.interp(days, edges, [0.0, 1.0, 1.0, 0.0])


def _wetness(rng: np.random.Generator, region: Region, rooms: int) -> NDArray[np.float64]:
    chances = rng.random(rooms)
    wetness = np.empty(rooms)
    raining, wet = False, 0.0
    for hour in range(rooms):
        raining = chances[hour] > RAIN_STOPS_PER_HOUR if raining else chances[hour] < region.rain_starts_per_hour
        wet = 1.0 - (1.0 - wet) * math.exp(-1.0 / SOAK_H) if raining else wet * math.exp(-1.0 / DRY_H)
        wetness[hour] = wet
    return wetness
