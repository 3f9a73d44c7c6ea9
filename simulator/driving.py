"""Speed, force and power of the day's trips, before the day's rows are laid out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.consumption import (
    AWAKE_W,
    DRIVE_EFFICIENCY,
    GRAVITY,
    REGEN_EFFICIENCY,
    ROTATING,
    resistance_n,
)
from simulator.day import Cars, FloatArray, IntArray
from simulator.drag import bearing_nm, brake_n
from simulator.itinerary import Trip
from simulator.recurrence import recur

RAMP_S: Final = 30.0
"""Time to get going and to come to a stop."""
TRAFFIC_S: Final = 60.0
"""How long a deviation from the mean speed lasts (engineering estimate)."""
RESTLESS_TOWN: Final = 0.5
RESTLESS_ROAD: Final = 0.12
"""Standard deviation of the speed over its mean at 25 km/h and at 110 km/h (engineering estimates)."""
HILL_S: Final = 90.0
HILL_GRADE: Final = 0.012
"""Standard deviation of the slope (engineering estimate: rolling country)."""
MOST_W: Final = 150e3
REGEN_MOST_W: Final = -60e3
"""Limits of battery power while driving (engineering estimates)."""
WHEEL_M: Final = 0.33
REDUCTION: Final = 9.5
"""Wheel radius and gear ratio: usual single-speed reductions lie between 9 and 10."""


@dataclass(slots=True, eq=False)
class Drives:
    """The rows of all trips of a day, car by car and in order; each stands for the time since the one before."""

    car: IntArray
    trip: IntArray
    """Of each row, counted over all cars."""
    at_s: FloatArray
    """Seconds of the day."""
    dt_s: FloatArray
    speed_kmh: FloatArray
    """At the row."""
    distance_m: FloatArray
    """Since the row before."""
    torque_nm: FloatArray
    """All motors together, over the time since the row before."""
    bearing_nm: FloatArray
    """Of that, what a worn bearing takes."""
    brake_n: FloatArray
    """Force at the road of brakes that drag, over that time."""
    wheel_w: FloatArray
    """Power at the wheels over that time."""
    demand_w: FloatArray
    """Power out of the battery over that time, control units included, and the compressor once the plan knows it."""
    heating_w: FloatArray
    """Of that, what the compressor takes."""

    @property
    def first(self) -> IntArray:
        """Of each car that drives: its first row."""
        return np.flatnonzero(np.diff(self.car, prepend=-1))


def drive(
    cars: Cars,
    trips: Sequence[Sequence[Trip]],
    noise: Sequence[np.random.Generator],
    interval_s: float,
    *,
    midnight_s: float,
) -> Drives:
    """Every trip of the day.

    Args:
        cars: whose day it is.
        trips: per car its trips, in order.
        noise: per car the generator of its driving.
        interval_s: between rows.
        midnight_s: the day's start, seconds since the fleet's.
    """
    car, trip, at_s, dt_s, draws = _rows(trips, noise, interval_s)
    flat = [one for ones in trips for one in ones]
    speed = _speed(flat, trip, at_s, dt_s, draws[:, 0])
    first = _starts(trip)
    before = np.concatenate([[0.0], speed[:-1]])
    before[first] = 0.0
    mean = 0.5 * (speed + before)
    slope = recur(np.exp(-dt_s / HILL_S), _shock(dt_s / HILL_S) * draws[:, 1] * HILL_GRADE, first, np.zeros(len(first)))
    mass = cars.each(lambda one: one.model.mass_kg)[car]
    drag = cars.each(lambda one: one.model.drag_area_m2)[car]
    force = resistance_n(mass, drag, mean) * (mean > 0.0) + mass * GRAVITY * slope
    force += mass * ROTATING * (speed - before) / dt_s
    worn = bearing_nm(cars, car, midnight_s + at_s) * (mean > 0.0)
    drags = brake_n(cars, car, midnight_s + at_s) * (mean > 0.0)
    force += drags + worn * REDUCTION / WHEEL_M
    wheel = force * mean
    battery = np.where(wheel > 0.0, wheel / DRIVE_EFFICIENCY, wheel * REGEN_EFFICIENCY)
    battery = np.clip(battery, REGEN_MOST_W, MOST_W)
    return Drives(
        car=car,
        trip=trip,
        at_s=at_s,
        dt_s=dt_s,
        speed_kmh=speed * 3.6,
        distance_m=mean * dt_s,
        torque_nm=np.where(mean > 0.0, force, 0.0) * WHEEL_M / REDUCTION,
        bearing_nm=worn,
        brake_n=drags,
        wheel_w=wheel,
        demand_w=battery + AWAKE_W,
        heating_w=np.zeros(len(car)),
    )


def _rows(
    trips: Sequence[Sequence[Trip]], noise: Sequence[np.random.Generator], interval_s: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]:
    flat = [one for ones in trips for one in ones]
    if not flat:
        nothing = np.empty(0, dtype=np.intp)
        return nothing, nothing, np.empty(0), np.empty(0), np.empty((0, 2))
    start, end = np.array([one.start_s for one in flat]), np.array([one.end_s for one in flat])
    begin = start + interval_s
    counts = np.maximum(np.ceil((end - 1.0 - begin) / interval_s), 0.0).astype(np.intp) + 1
    last = np.cumsum(counts) - 1
    trip = np.repeat(np.arange(len(flat)), counts)
    car = np.repeat(np.arange(len(trips)), [len(ones) for ones in trips])[trip]
    at_s = begin[trip] + (np.arange(len(trip)) - (last - counts + 1)[trip]) * (begin + interval_s - begin)[trip]
    at_s[last] = end
    dt_s = np.diff(at_s, prepend=0.0)
    dt_s[last - counts + 1] = at_s[last - counts + 1] - start
    rows = np.bincount(car, minlength=len(trips)).tolist()
    draws = np.concatenate([rng.standard_normal((count, 2)) for rng, count in zip(noise, rows, strict=True)])
    return car, trip, at_s, dt_s, draws


def _starts(trip: IntArray) -> IntArray:
    return np.flatnonzero(np.diff(trip, prepend=-1))


def _shock(steps: FloatArray) -> FloatArray:
    """Weight of a standard normal draw that keeps a lagged series at variance 1."""
    return np.sqrt(-np.expm1(-2.0 * steps))


def _speed(flat: Sequence[Trip], trip: IntArray, at_s: FloatArray, dt_s: FloatArray, draws: FloatArray) -> FloatArray:
    """Metres per second: a mean with traffic around it, from standstill to standstill."""
    first = _starts(trip)
    mean = np.array([one.mean_kmh for one in flat])[trip] / 3.6
    start = np.array([one.start_s for one in flat])[trip]
    end = np.array([one.end_s for one in flat])[trip]
    keep = np.exp(-dt_s / TRAFFIC_S)
    traffic = recur(keep, _shock(dt_s / TRAFFIC_S) * draws, first, np.zeros(len(first)))
    share = np.clip((mean * 3.6 - 25.0) / 85.0, 0.0, 1.0)
    restless = RESTLESS_TOWN + (RESTLESS_ROAD - RESTLESS_TOWN) * share
    ramp = np.minimum(np.minimum(at_s - start, end - at_s) / RAMP_S, 1.0)
    return np.asarray(mean * np.clip(1.0 + restless * traffic, 0.0, 2.0) * ramp, dtype=np.float64)
