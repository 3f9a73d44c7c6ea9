"""One car's day as its owner means to spend it: trips, and when the car is plugged in where."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.car import Car
from simulator.consumption import expected_wh_per_km
from simulator.owner import HomeCharger
from simulator.weather import DAY_S, HOUR_S, SUN_AHEAD_H

RESERVE: Final = 0.15
"""State of charge below which nobody lets the car fall on purpose."""
MARGIN: Final = 1.2
"""Owners reckon with more than the mean consumption."""
EARLIEST_H: Final = 5.0
LATEST_H: Final = 22.5
"""Trips lie between these hours, local time, so that none crosses the day's end (UTC)."""
PAUSE_S: Final = 600.0
"""Least rest between two trips: the car goes to sleep after one."""
PLUG_S: Final = 60.0
"""From the stop to the first current at a public charger."""
PUBLIC_S: Final = 3000.0
"""Longest stay at a fast charger."""
PUBLIC_TO: Final = 0.8
"""Fast charging ends here: it is slow beyond."""
PUBLIC_BELOW: Final = 0.45
"""Owners without a charger at home look for a fast charger below it."""
NIGHT_H: Final = 23.0
"""Start of the cheap tariff, local time."""
HOME_PLUG_S: Final = 120.0
AWAY_S: Final = 2700.0
"""Nobody plugs in at a post for a shorter stay (engineering estimate)."""
POST_KW: Final = 10.0
"""That a post charges with, for what the owner reckons with: 11 kW less losses."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One drive; times in seconds of the day, UTC."""

    start_s: float
    duration_s: float
    mean_kmh: float

    @property
    def end_s(self) -> float:
        """When the car stops."""
        return self.start_s + self.duration_s

    @property
    def km(self) -> float:
        """About how far."""
        return self.mean_kmh * self.duration_s / HOUR_S


@dataclass(frozen=True, slots=True)
class PlugIn:
    """One time at a charger; times in seconds of the day, UTC."""

    start_s: float
    until_s: float
    """When the owner leaves, at the latest; `DAY_S` may mean tomorrow."""
    public: bool
    """A fast charger rather than the one at home."""
    charge_to: float
    away: bool = False
    """At a post with alternating current, at work or in town."""


def plan_day(
    car: Car, weekday: int, charge: float, ambient_c: float, rng: np.random.Generator, *, plugged: bool, stays: bool
) -> tuple[list[Trip], list[PlugIn]]:
    """The day's trips and charges, in order and apart from each other.

    Args:
        car: whose.
        weekday: 0 Monday to 6 Sunday.
        charge: state of charge at midnight, 0 to 1.
        ambient_c: the day's temperature, for what the owner reckons with.
        rng: the day's own.
        plugged: the car is being charged at home since yesterday.
        stays: nobody drives today.
    """
    wanted = [] if stays else sorted(_wanted(car, weekday, rng), key=lambda trip: trip.start_s)
    trips: list[Trip] = []
    plugs: list[PlugIn] = []
    free_s = EARLIEST_H * HOUR_S - SUN_AHEAD_H * HOUR_S
    if plugged:
        first = next((trip.start_s for trip in wanted if trip.start_s >= free_s), DAY_S)
        plugs.append(
            PlugIn(0.0, first - PAUSE_S / 2 if first < DAY_S else DAY_S, public=False, charge_to=car.owner.charges_to)
        )
        charge = max(charge, car.owner.charges_to)
    for trip in wanted:
        if trip.start_s < free_s or trip.end_s > (LATEST_H - SUN_AHEAD_H) * HOUR_S:
            continue
        post = _at_a_post(car, charge, trips, trip)
        if post is not None:
            plugs.append(post)
            added = (post.until_s - post.start_s) / HOUR_S * POST_KW / car.model.energy_kwh
            charge = min(charge + added, max(charge, post.charge_to))
            free_s = post.until_s
        need = MARGIN * trip.km * expected_wh_per_km(car.model, trip.mean_kmh, ambient_c)
        need /= car.model.energy_kwh * 1000.0 * car.health_pct / 100.0
        if charge - need < RESERVE:
            stop = _on_the_way(free_s, trip.start_s)
            if stop is None or PUBLIC_TO - need < RESERVE:
                continue
            plugs.append(stop)
            charge = PUBLIC_TO
        trips.append(trip)
        charge -= need
        free_s = trip.end_s + PAUSE_S
    plugs += _evening(car, charge, trips, free_s)
    return trips, plugs


def _on_the_way(free_s: float, leave_s: float) -> PlugIn | None:
    start = max(free_s, leave_s - PUBLIC_S - PAUSE_S)
    if leave_s - PAUSE_S - start < PUBLIC_S / 2:
        return None
    return PlugIn(start, leave_s - PAUSE_S, public=True, charge_to=PUBLIC_TO)


def _at_a_post(car: Car, charge: float, trips: list[Trip], leaves: Trip) -> PlugIn | None:
    """The stay before `leaves`, if the car is not at home, to which every second trip leads, and has a post there."""
    if not car.owner.plugs_away or len(trips) % 2 == 0 or charge > car.owner.plugs_below:
        return None
    start, end = trips[-1].end_s + HOME_PLUG_S, leaves.start_s - PAUSE_S / 2
    return PlugIn(start, end, public=False, charge_to=car.owner.charges_to, away=True) if end - start > AWAY_S else None


def _evening(car: Car, charge: float, trips: list[Trip], free_s: float) -> list[PlugIn]:
    """What the owner does about the battery after the last trip; a car that was not driven is left alone."""
    if not trips:
        return []
    owner = car.owner
    if owner.charger is HomeCharger.NONE:
        if charge > PUBLIC_BELOW:
            return []
        start = trips[-1].end_s + PLUG_S
        return [PlugIn(start, start + PUBLIC_S, public=True, charge_to=PUBLIC_TO)]
    if charge > owner.plugs_below:
        return []
    start = max(free_s, (NIGHT_H - SUN_AHEAD_H) * HOUR_S) if owner.at_night else trips[-1].end_s + HOME_PLUG_S
    return [PlugIn(start, DAY_S, public=False, charge_to=owner.charges_to)]


def _wanted(car: Car, weekday: int, rng: np.random.Generator) -> Iterator[Trip]:
    habit, weekend = car.owner.habit, weekday >= 5  # noqa: PLR2004 -- Saturday
    if habit.commutes and not weekend and rng.random() < 0.92:  # noqa: PLR2004 -- holidays and days at home
        leaves = car.owner.leaves_h + rng.normal(0.0, 0.15)
        yield _trip(rng, leaves, car.owner.commute_km)
        yield _trip(rng, leaves + car.owner.works_h + rng.normal(0.0, 0.4), car.owner.commute_km)
    if weekday < habit.round_days and habit.rounds[1]:
        yield from _round(car, rng)
    for _ in range(rng.poisson(habit.errands[int(weekend)])):
        yield from _outing(
            rng, rng.uniform(9.0 if weekend else 16.0, 20.0), rng.uniform(0.3, 2.0), _km(habit.errand_km, rng)
        )
    if weekend and rng.random() < habit.excursion:
        yield from _outing(rng, rng.uniform(8.0, 11.0), rng.uniform(3.0, 6.0), rng.uniform(50.0, 110.0))


def _outing(rng: np.random.Generator, hour: float, stay_h: float, km: float) -> Iterator[Trip]:
    there = _trip(rng, hour, km)
    yield there
    yield _trip(rng, hour + there.duration_s / HOUR_S + stay_h, km)


def _round(car: Car, rng: np.random.Generator) -> Iterator[Trip]:
    hour = rng.uniform(6.5, 8.5)
    for _ in range(rng.integers(*car.owner.habit.rounds, endpoint=True)):
        leg = _trip(rng, hour, _km(car.owner.habit.errand_km, rng))
        yield leg
        hour += leg.duration_s / HOUR_S + rng.uniform(0.25, 1.0)


def _km(distance: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.clip(rng.lognormal(np.log(distance[0]), distance[1]), 1.0, 60.0))


def _trip(rng: np.random.Generator, hour: float, km: float) -> Trip:
    """Longer trips use faster roads: 28 km/h in town over 3 km, 96 km/h over 100 km (engineering estimate)."""
    mean_kmh = min(28.0 * (km / 3.0) ** 0.35 * float(rng.lognormal(0.0, 0.1)), 115.0)
    start = round((hour - SUN_AHEAD_H) * HOUR_S)
    return Trip(float(start), float(max(round(km / mean_kmh * HOUR_S), 120)), mean_kmh)
