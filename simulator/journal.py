"""Keeps the truth while the days go by: when each fault could first be seen, and when the component failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from simulator.car import Car
from simulator.confounders import Confounder, Oddity
from simulator.day import BoolArray, Cars, Day
from simulator.fault_modes import FAULT_MODES, FaultMode
from simulator.faults import WHEELS, Fault
from simulator.truth import ConfounderTruth, FaultTruth
from simulator.weather import DAY_S, Weather


@dataclass(slots=True)
class _Course:
    """One fault's course, in seconds since the fleet's start."""

    fault: Fault
    visible_s: float = np.inf
    failed_s: float = np.inf

    @property
    def mode(self) -> FaultMode:
        return FAULT_MODES[self.fault.order.mode]

    @property
    def stranded_s(self) -> float:
        """When the car breaks down of it."""
        return self.failed_s if self.mode.strands else np.inf


class Journal:
    """The courses of all faults of the cars that are simulated together."""

    def __init__(self, cars: Cars, start: date) -> None:
        self._cars = cars
        self._start = datetime.combine(start, time(), UTC)
        self._courses = [[_Course(fault) for fault in car.faults] for car in cars.cars]

    def note(self, day: Day) -> None:
        """Take down what the day showed; what a silent car would have shown does not count."""
        for number, courses in enumerate(self._courses):
            rows = day.rows(number)
            sent = slice(rows.start, rows.stop - 1)
            for course in courses:
                mode = course.fault.order.mode
                silent = self._silent_s(number)
                course.visible_s = min(course.visible_s, _first(day, day.visible[mode], sent, silent))
                course.failed_s = min(course.failed_s, _first(day, day.failed[mode], sent, silent))

    def out_of_use(self) -> BoolArray:
        """Cars that nobody drives any more because they have broken down, shape (cars,)."""
        return np.array([any(np.isfinite(one.stranded_s) for one in ones) for ones in self._courses], dtype=np.bool_)

    def last_sample_s(self, number: int, day: Day) -> float:
        """When the car at this position stops sampling: for the rest of the day it breaks down, or for good if flat."""
        today_s = day.index * DAY_S
        stops = [one.stranded_s for one in self._courses[number] if one.stranded_s >= today_s]
        return min([self._silent_s(number), *stops])

    def _silent_s(self, number: int) -> float:
        return min((one.failed_s for one in self._courses[number] if one.mode.silences), default=np.inf)

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
            )
            for courses in self._courses
            for course in courses
        ]

    def _moment(self, at_s: float) -> datetime | None:
        return self._start + timedelta(seconds=at_s) if np.isfinite(at_s) else None


def confounders(cars: Sequence[Car], start: date, weather: Weather) -> list[ConfounderTruth]:
    """What looks odd in these cars and is no fault."""
    midnight = datetime.combine(start, time(), UTC)
    entries = []
    for car in cars:
        snap = weather.snaps[car.region]
        for one in (Oddity(Confounder.COLD_SNAP, snap.start_day, snap.end_day), *car.oddities):
            wheels = {Confounder.COLD_SNAP: WHEELS, Confounder.NOISY_TYRE_SENSOR: (WHEELS[one.wheel],)}
            entries.append(
                ConfounderTruth(
                    vehicle_id=car.vehicle_id,
                    confounder=one.kind.value,
                    start_at=midnight + timedelta(days=one.start_day),
                    end_at=midnight + timedelta(days=one.end_day),
                    locations=wheels.get(one.kind, ()),
                )
            )
    return entries


def _first(day: Day, mask: BoolArray, rows: slice, before_s: float) -> float:
    hits = np.flatnonzero(mask[rows])
    at_s = float(day.at_s[rows.start + int(hits[0])]) if len(hits) else np.inf
    return at_s if at_s <= before_s else np.inf
