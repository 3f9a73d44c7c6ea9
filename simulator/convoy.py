"""The cars that are simulated together: a day is planned, laid out in rows, lived, and read by sensors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from simulator import (
    charge_port,
    climate,
    connectivity,
    low_voltage,
    parts,
    readings,
    surroundings,
    traction_battery,
    trouble_codes,
    usage,
    workshop,
)
from simulator.car import Car
from simulator.confounders import Confounder
from simulator.day import BoolArray, Cars, Day, FloatArray
from simulator.journal import Journal
from simulator.layout import lay_out, stretches
from simulator.plan import Dawn, DayPlan, Planner
from simulator.profile import SamplingProfile
from simulator.sensors import read_day
from simulator.subsystems import SUBSYSTEMS
from simulator.truth import FaultTruth
from simulator.weather import DAY_S, Weather
from vehicle.batch import Event
from vehicle.failure import FailureMode
from vehicle.moment import instant


@dataclass(frozen=True, slots=True, eq=False)
class DayOfSamples:
    """What one car samples in a day, and what happened to it."""

    times: NDArray[np.datetime64]
    """datetime64[us], UTC, shape (n,), strictly increasing."""
    columns: dict[str, FloatArray]
    """Per catalogue signal float64 of shape (n,), or (n, k) for cell groups; NaN: not sampled. A signal that was not
    sampled all day is missing."""
    events: list[Event]
    """In the order of their times."""


class Convoy:
    """Cars and their state between two days; days come in order."""

    def __init__(
        self,
        cars: tuple[Car, ...],
        start: date,
        weather: Weather,
        profile: SamplingProfile,
        *,
        with_workshop: bool = False,
    ) -> None:
        self._cars = Cars(cars)
        self._start = datetime.combine(start, time(), UTC)
        self._profile = profile
        self._with_workshop = with_workshop
        self._planner = Planner(self._cars, start, profile.driving_s)
        self._climate = climate.start(self._cars, weather)
        ambient_c = climate.daily_mean_c(self._climate, 0)
        self._surroundings = surroundings.start(self._cars)
        self._usage = usage.start(self._cars)
        self._low_voltage = low_voltage.start(self._cars)
        self._battery = traction_battery.start(self._cars, ambient_c)
        self._charge_port = charge_port.start(self._cars, ambient_c)
        self._others = [(one, one.start(self._cars, ambient_c)) for one in SUBSYSTEMS]
        self._codes = trouble_codes.start(self._cars)
        self._journal = Journal(self._cars, start)
        self.next_day = 0

    def faults(self) -> list[FaultTruth]:
        """The course of every fault through the days so far."""
        return self._journal.faults()

    def take(self) -> Iterator[tuple[str, DayOfSamples]]:
        """The next day as sensors read it, of every car that still answers, by vehicle id."""
        day, plan = self.live()
        midnight = self._start + timedelta(days=day.index)
        readings = read_day(day, self._profile)
        times = instant(self._start) + np.rint((day.at_s + readings.late_s) * 1000.0).astype("timedelta64[ms]")
        lossy = connectivity.lossy(day)
        km = plan.km()
        for number, car in enumerate(self._cars.cars):
            end = self._journal.last_sample_s(number, day)
            count = _sent(day, number, end)
            if not count:
                continue
            first = int(day.first[number])
            own, columns = times[first : first + count].copy(), readings.of(number, count)
            if lossy[number]:
                own, columns = connectivity.sent(day, number, own, columns)
                if not len(own):
                    continue
            used = usage.events(plan.trips[number], km[number], plan.runs[number], midnight)
            events = [one for one in (*day.events[number], *used) if (one.at - self._start).total_seconds() <= end]
            yield car.vehicle_id, DayOfSamples(own, columns, sorted(events, key=lambda one: one.at))

    def live(self) -> tuple[Day, DayPlan]:
        """The next day as it truly is, and its plan."""
        index, self.next_day = self.next_day, self.next_day + 1
        surroundings.move(self._cars, self._climate.region, index)
        self._renew(workshop.fit_new_parts(self._cars, self._journal.courses, index))
        ambient_c = climate.daily_mean_c(self._climate, index)
        rest_v = self._battery.volts()
        dawn = Dawn(
            charge=self._battery.charge,
            charge_error=self._battery.management.charge_error,
            capacity_ah=self._battery.capacity_ah,
            rest_v=rest_v,
            battery_c=self._battery.temp_c,
            ambient_c=ambient_c,
            wetness=climate.hourly_wetness(self._climate, index),
            stays=self._stays(index),
        )
        plan = self._planner.plan(index, dawn, self._climate)
        day = self._lay_out(index, plan, dawn)
        runs = [run for ones in plan.runs for run in ones]
        climate.advance(self._climate, day)
        surroundings.advance(self._surroundings, day)
        low_voltage.advance(self._low_voltage, day)
        usage.advance(self._usage, day, plan.drives, runs, rest_v)
        traction_battery.advance(self._battery, day)
        charge_port.advance(self._charge_port, day, runs)
        for subsystem, state in self._others:
            subsystem.advance(state, day)
        trouble_codes.advance(self._codes, day, self._start + timedelta(days=index))
        self._journal.note(day)
        if self._with_workshop:
            self._renew(workshop.advance(self._cars, self._journal.courses, index))
        readings.advance(day)
        return day, plan

    def _renew(self, repaired: Sequence[tuple[int, FailureMode]]) -> None:
        """Let what was replaced start as new."""
        for number, mode in repaired:
            parts.fit(self._low_voltage, number, mode)

    def _stays(self, index: int) -> BoolArray:
        """Cars that nobody drives today."""
        stays = self._journal.out_of_use() | self._journal.in_workshop(index)
        for number, car in enumerate(self._cars.cars):
            parking = car.oddity(Confounder.LONG_PARKING)
            stays[number] |= parking is not None and parking.shows(index)
        return stays

    def _lay_out(self, index: int, plan: DayPlan, dawn: Dawn) -> Day:
        batteries = low_voltage.drains(
            self._low_voltage,
            self._cars,
            noon_s=(index + 0.5) * DAY_S,
            ambient_c=dawn.ambient_c,
            charge=dawn.charge,
        )
        days = [stretches(*ones) for ones in zip(plan.trips, plan.runs, batteries, strict=True)]
        offset = self._cars.each(lambda one: one.number * 0.618 % 1.0)
        rows = lay_out(days, plan.drives, self._profile, offset)
        first = np.cumsum(rows.counts) - rows.counts
        dt_s = np.diff(rows.at_s, prepend=0.0)
        dt_s[first] = rows.at_s[first]
        return Day(
            cars=self._cars,
            index=index,
            midnight=self._start + timedelta(days=index),
            car=np.repeat(np.arange(len(rows.counts)), rows.counts),
            first=first,
            at_s=rows.at_s + index * DAY_S,
            dt_s=dt_s,
            phase=rows.phase,
            wakes=rows.wakes,
        )


def _sent(day: Day, number: int, last_s: float) -> int:
    """How many of the car's rows are sent: those until it stops sampling, and never midnight."""
    at_s = day.at_s[day.rows(number)]
    return len(at_s) - 1 if last_s >= at_s[-1] else int(np.searchsorted(at_s, last_s, side="right"))
