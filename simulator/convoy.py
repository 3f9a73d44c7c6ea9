"""The cars that are simulated together: a day is planned, laid out in rows, lived, and read by sensors."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from simulator import (
    charge_port,
    climate,
    low_voltage,
    traction_battery,
    trouble_codes,
    usage,
)
from simulator.car import Car
from simulator.confounders import Confounder
from simulator.day import BoolArray, Cars, Day, FloatArray
from simulator.journal import Journal
from simulator.layout import lay_out, stretches
from simulator.plan import Dawn, DayPlan, Planner
from simulator.profile import SamplingProfile
from simulator.sensors import read_car
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

    def __init__(self, cars: tuple[Car, ...], start: date, weather: Weather, profile: SamplingProfile) -> None:
        self._cars = Cars(cars)
        self._start = datetime.combine(start, time(), UTC)
        self._profile = profile
        self._planner = Planner(self._cars, start, profile.driving_s)
        self._climate = climate.start(self._cars, weather)
        ambient_c = climate.daily_mean_c(self._climate, 0)
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
        for number, car in enumerate(self._cars.cars):
            last_s = self._journal.last_sample_s(number, day)
            rows = day.rows(number)
            keep = day.at_s[rows] <= last_s
            keep[-1] = False
            if not keep.any():
                continue
            late_s, columns = read_car(day, number, self._profile, keep)
            milliseconds = np.round((day.at_s[rows][keep] + late_s) * 1000.0).astype("timedelta64[ms]")
            times = instant(self._start) + milliseconds
            used = usage.events(plan.trips[number], plan.km(number), plan.runs[number], midnight)
            events = [one for one in (*day.events[number], *used) if (one.at - self._start).total_seconds() <= last_s]
            yield car.vehicle_id, DayOfSamples(times, columns, sorted(events, key=lambda one: one.at))

    def live(self) -> tuple[Day, DayPlan]:
        """The next day as it truly is, and its plan."""
        index, self.next_day = self.next_day, self.next_day + 1
        ambient_c = climate.daily_mean_c(self._climate, index)
        rest_v = self._battery.volts()
        dawn = Dawn(self._battery.charge, rest_v, self._battery.temp_c, ambient_c, self._stays(index))
        plan = self._planner.plan(index, dawn)
        day = self._lay_out(index, plan)
        runs = [run for ones in plan.runs for run in ones]
        climate.advance(self._climate, day)
        low_voltage.advance(self._low_voltage, day)
        usage.advance(self._usage, day, plan.drives, runs, rest_v)
        traction_battery.advance(self._battery, day)
        charge_port.advance(self._charge_port, day, runs)
        for subsystem, state in self._others:
            subsystem.advance(state, day)
        trouble_codes.advance(self._codes, day, self._start + timedelta(days=index))
        self._journal.note(day)
        return day, plan

    def _stays(self, index: int) -> BoolArray:
        """Cars that nobody drives today."""
        stays = self._journal.out_of_use()
        for number, car in enumerate(self._cars.cars):
            parking = car.oddity(Confounder.LONG_PARKING)
            stays[number] |= parking is not None and parking.start_day <= index < parking.end_day
        return stays

    def _lay_out(self, index: int, plan: DayPlan) -> Day:
        parts = []
        for number, car in enumerate(self._cars.cars):
            fault = car.fault(FailureMode.LV_BATTERY_AGEING)
            noon = np.array([(index + 0.5) * DAY_S])
            severity = 0.0 if fault is None else float(fault.severity(noon)[0])
            battery = low_voltage.drain(self._low_voltage, number, severity)
            own = plan.drives.at_s[plan.drives.car == number]
            offset = (car.number * 0.618) % 1.0
            whole = stretches(plan.trips[number], plan.runs[number], battery)
            parts.append(lay_out(whole, own, self._profile, offset))
        counts = np.array([len(part.at_s) for part in parts], dtype=np.intp)
        at_s = np.concatenate([part.at_s for part in parts])
        return Day(
            cars=self._cars,
            index=index,
            car=np.repeat(np.arange(len(parts)), counts),
            first=np.cumsum(counts) - counts,
            at_s=at_s + index * DAY_S,
            dt_s=np.concatenate([np.diff(part.at_s, prepend=0.0) for part in parts]),
            phase=np.concatenate([part.phase for part in parts]).astype(np.int8),
            wakes=np.concatenate([part.wakes for part in parts]),
        )
