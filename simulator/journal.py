"""Keeps the truth while the days go by: when each fault could first be seen, and when the component failed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from simulator.altitude import mountain_m
from simulator.car import Car
from simulator.confounders import Confounder, Oddity
from simulator.course import Course
from simulator.day import BoolArray, Cars, Day
from simulator.faults import WHEELS, Fault
from simulator.readings import lost, shifted
from simulator.truth import BuildTruth, ConfounderTruth, FaultTruth, VisitTruth
from simulator.tyre_care import SIDES
from simulator.weather import DAY_S, REGIONS, Weather
from vehicle.failure import FailureMode


class Journal:
    """The courses of all faults of the cars that are simulated together."""

    def __init__(self, cars: Cars, start: date) -> None:
        self._cars = cars
        self._start = datetime.combine(start, time(), UTC)
        self.courses = [[Course(fault) for fault in car.faults] for car in cars.cars]
        """Per car, of its faults."""

    def note(self, day: Day) -> None:
        """Take down what the day showed; what a silent car would have shown does not count."""
        for number, courses in enumerate(self.courses):
            rows = day.rows(number)
            sent = slice(rows.start, rows.stop - 1)
            for course in (one for one in courses if not one.repaired):
                mode = course.fault.order.mode
                silent = self._silent_s(number, day)
                course.visible_s = min(course.visible_s, _first(day, day.visible[mode], sent, course.fault, silent))
                course.failed_s = min(course.failed_s, _first(day, day.failed[mode], sent, course.fault, silent))

    def out_of_use(self) -> BoolArray:
        """Cars that nobody drives because they have broken down and are not repaired, shape (cars,)."""
        broken = [any(np.isfinite(one.stranded_s) and not one.repaired for one in ones) for ones in self.courses]
        return np.array(broken, dtype=np.bool_)

    def in_workshop(self, index: int) -> BoolArray:
        """Cars that are in the workshop on this day, shape (cars,)."""
        return np.array([any(one.next_visit == index for one in ones) for ones in self.courses], dtype=np.bool_)

    def last_sample_s(self, number: int, day: Day) -> float:
        """When the car at this position stops sampling: for the rest of the day it breaks down, or while it is flat."""
        today_s = day.index * DAY_S
        stops = [one.stranded_s for one in self.courses[number] if one.stranded_s >= today_s]
        return min([self._silent_s(number, day), *stops])

    def _silent_s(self, number: int, day: Day) -> float:
        flat = [one for one in self.courses[number] if one.mode.silences]
        return min((one.failed_s for one in flat if one.fault.repaired_s > day.index * DAY_S), default=np.inf)

    def faults(self) -> list[FaultTruth]:
        """The courses so far."""
        return [
            FaultTruth(
                vehicle_id=course.fault.order.vehicle_id,
                component=course.fault.order.mode.component.value,
                failure_mode=course.fault.order.mode.value,
                onset_at=self._start + timedelta(days=course.fault.order.onset_day),
                first_visible_at=self._moment(course.visible_s),
                failed_at=self._moment(course.failed_s),
                locations=(course.fault.location_name,) if course.fault.location_name else (),
                channels=tuple(channel.value for channel in course.mode.channels),
                parts=course.mode.parts,
                repaired_at=self._moment(course.fault.repaired_s),
                visits=tuple(
                    VisitTruth(self._start + timedelta(days=one.day), one.result.value, one.replaced)
                    for one in course.visits
                ),
            )
            for courses in self.courses
            for course in courses
        ]

    def _moment(self, at_s: float) -> datetime | None:
        return self._start + timedelta(seconds=at_s) if np.isfinite(at_s) else None


def confounders(cars: Sequence[Car], start: date, weather: Weather) -> list[ConfounderTruth]:
    """What looks odd in these cars and is no fault."""
    midnight = datetime.combine(start, time(), UTC)
    return [
        ConfounderTruth(
            vehicle_id=car.vehicle_id,
            confounder=one.kind.value,
            start_at=midnight + timedelta(days=one.start_day),
            end_at=midnight + timedelta(days=one.end_day),
            locations=_places(car, one),
        )
        for car in cars
        for one in (*_cold_snaps(car, weather), *car.oddities)
    ]


def builds(cars: Sequence[Car]) -> list[BuildTruth]:
    """What these cars were built with."""
    qualities = [{mode: car.batch.quality(mode) for mode in FailureMode} for car in cars]
    return [
        BuildTruth(
            vehicle_id=car.vehicle_id,
            batch=car.batch.code,
            suppliers=dict(car.batch.suppliers),
            rates={mode.value: one.rate for mode, one in quality.items() if one.rate != 1.0},
            paces={mode.value: one.pace for mode, one in quality.items() if one.pace != 1.0},
        )
        for car, quality in zip(cars, qualities, strict=True)
    ]


def _cold_snaps(car: Car, weather: Weather) -> list[Oddity]:
    """The snaps of the regions that the car is in, while it is there."""
    moved = car.oddity(Confounder.RELOCATION)
    moves = np.inf if moved is None else moved.start_day
    stays = ((car.region, 0.0, moves), ((car.region + 1) % len(REGIONS), moves, np.inf))
    spans = [
        (max(weather.snaps[region].start_day, begin), min(weather.snaps[region].end_day, end))
        for region, begin, end in stays
    ]
    return [Oddity(Confounder.COLD_SNAP, begin, end) for begin, end in spans if begin < end]


def _places(car: Car, oddity: Oddity) -> tuple[str, ...]:
    """Where a confounder shows: wheels, signals, an altitude, or the region that the car moves to."""
    places: tuple[str, ...]
    match oddity.kind:
        case Confounder.COLD_SNAP | Confounder.TYRE_CHANGE | Confounder.TYRE_ROTATION | Confounder.TYRE_INFLATION:
            places = WHEELS
        case Confounder.NOISY_TYRE_SENSOR | Confounder.NEW_TYRE:
            places = (WHEELS[oddity.wheel],)
        case Confounder.ALTITUDE:
            places = (f"{mountain_m(oddity):.0f} m",)
        case Confounder.SUNNY_SIDE:
            places = tuple(WHEELS[wheel] for wheel in SIDES[oddity.wheel % 2])
        case Confounder.SENSOR_DROPOUTS:
            places = lost(oddity.size)
        case Confounder.SOFTWARE_SHIFT:
            places = shifted(oddity.size)[:1]
        case Confounder.RELOCATION:
            places = (REGIONS[(car.region + 1) % len(REGIONS)].name,)
        case _:
            places = ()
    return places


def _first(day: Day, mask: BoolArray, rows: slice, fault: Fault, before_s: float) -> float:
    """The first of the rows that the fault can be the cause of: others share its symptoms."""
    hits = np.flatnonzero(mask[rows] & (day.at_s[rows] > fault.order.onset_day * DAY_S))
    at_s = float(day.at_s[rows.start + int(hits[0])]) if len(hits) else np.inf
    return at_s if at_s <= before_s else np.inf
