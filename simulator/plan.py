"""What happens on a day: everyone's trips and charges, each battery's charge followed from one to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice

import numpy as np

from simulator import climate
from simulator.ailments import ailments
from simulator.battery_management import charges_to
from simulator.charging import ChargeRun, Ending, Session, run_sessions
from simulator.climate import Climate
from simulator.consumption import AWAKE_W
from simulator.day import BoolArray, Cars, FloatArray
from simulator.driving import Drives, drive
from simulator.itinerary import PlugIn, Trip, plan_day
from simulator.layout import awake_s
from simulator.randomness import Purpose, generator
from simulator.towing import as_driven
from simulator.weather import DAY_S


@dataclass(frozen=True, slots=True, eq=False)
class Dawn:
    """What the plan needs to know of the cars at midnight, shape (cars,)."""

    charge: FloatArray
    charge_error: FloatArray
    """Shown charge less the true one."""
    capacity_ah: FloatArray
    """Usable."""
    rest_v: FloatArray
    battery_c: FloatArray
    ambient_c: FloatArray
    """Mean of the day to come."""
    wetness: FloatArray
    """By the hour, shape (cars, 24)."""
    stays: BoolArray
    """Nobody drives the car today."""


@dataclass(frozen=True, slots=True, eq=False)
class DayPlan:
    """The day as it goes."""

    trips: Sequence[Sequence[Trip]]
    """Per car, in order."""
    drives: Drives
    runs: Sequence[Sequence[ChargeRun]]
    """Per car, in order."""

    def km(self) -> list[list[float]]:
        """Length of every trip, per car."""
        metres = np.bincount(self.drives.trip, self.drives.distance_m)
        lengths = iter((metres / 1000.0).tolist())
        return [list(islice(lengths, len(ones))) for ones in self.trips]


@dataclass(frozen=True, slots=True)
class _Carry:
    """A session at home that midnight cut."""

    share: float
    inlet_c: float


class Planner:
    """Plans day after day; keeps which cars are being charged across midnight."""

    def __init__(self, cars: Cars, start: date, interval_s: float) -> None:
        self._cars = cars
        self._start = start
        self._interval_s = interval_s
        self._plugged: list[_Carry | None] = [None] * len(cars)

    def plan(self, index: int, dawn: Dawn, cabins: Climate) -> DayPlan:
        """Everyone's day; `cabins`: as the night leaves them."""
        weekday = (self._start + timedelta(days=index)).weekday()
        trips: list[list[Trip]] = []
        plugs: list[list[PlugIn]] = []
        driven = as_driven(self._cars, index)
        for number, car in enumerate(driven.cars):
            ones, stops = plan_day(
                car,
                weekday,
                float(dawn.charge[number]),
                float(dawn.ambient_c[number]),
                generator(car.seed, Purpose.ITINERARY, car.number, index),
                plugged=self._plugged[number] is not None,
                stays=bool(dawn.stays[number]),
            )
            trips.append(ones)
            error = float(dawn.charge_error[number])
            plugs.append([replace(stop, charge_to=charges_to(car, stop.charge_to, index) - error) for stop in stops])
        noise = [generator(car.seed, Purpose.DRIVING, car.number, index) for car in self._cars.cars]
        drives = drive(driven, trips, noise, self._interval_s, midnight_s=index * DAY_S)
        heating_w = climate.power_w(cabins, self._cars, drives, index)
        drives = replace(drives, demand_w=drives.demand_w + heating_w, heating_w=heating_w)
        spent = np.bincount(drives.trip, drives.demand_w * drives.dt_s / dawn.rest_v[drives.car]) / 3600.0
        return DayPlan(trips, drives, self._charge(index, dawn, trips, plugs, spent))

    def _charge(
        self,
        index: int,
        dawn: Dawn,
        trips: Sequence[Sequence[Trip]],
        plugs: Sequence[Sequence[PlugIn]],
        spent_ah: FloatArray,
    ) -> list[list[ChargeRun]]:
        """Run everyone's first session, then everyone's second, and so on."""
        runs: list[list[ChargeRun]] = [[] for _ in trips]
        first_trip = np.cumsum([0, *(len(ones) for ones in trips)])
        for turn in range(max(map(len, plugs), default=0)):
            sessions = []
            for number, stops in enumerate(plugs):
                if turn < len(stops):
                    driven = [trip for trip in trips[number] if trip.end_s <= stops[turn].start_s]
                    ah = float(spent_ah[first_trip[number] : first_trip[number] + len(driven)].sum())
                    ah -= sum(float(run.battery_ah[-1]) for run in runs[number])
                    ah += _parked_s(driven, runs[number], stops[turn]) * AWAKE_W / dawn.rest_v[number] / 3600.0
                    sessions.append(self._session(index, dawn, number, stops[turn], ah))
            for run in run_sessions(self._cars, sessions):
                if run.end_s > run.session.plug.start_s:
                    runs[run.session.number].append(run)
        for number, ones in enumerate(runs):
            unfinished = ones and ones[-1].ending is Ending.MIDNIGHT
            self._plugged[number] = _Carry(ones[-1].share, float(ones[-1].inlet_c[-1])) if unfinished else None
        return runs

    def _session(self, index: int, dawn: Dawn, number: int, plug: PlugIn, spent_ah: float) -> Session:
        car = self._cars.cars[number]
        carry = self._plugged[number] if plug.start_s == 0.0 else None
        return Session(
            number=number,
            plug=plug,
            charge=max(float(dawn.charge[number]) - spent_ah / float(dawn.capacity_ah[number]), 0.0),
            capacity_ah=float(dawn.capacity_ah[number]),
            ambient_c=float(dawn.ambient_c[number]),
            battery_c=float(dawn.battery_c[number]),
            ailments=ailments(car, index, plug, dawn.wetness[number]),
            share=1.0 if carry is None else carry.share,
            inlet_c=None if carry is None else carry.inlet_c,
        )


def _parked_s(driven: Sequence[Trip], runs: Sequence[ChargeRun], stop: PlugIn) -> float:
    """How long the car stood awake from midnight to the plug."""
    spans = [(trip.start_s, trip.end_s) for trip in driven]
    spans += [(run.session.plug.start_s, run.end_s) for run in runs]
    ends = [0.0, *(end for _, end in sorted(spans))]
    starts = [*(start for start, _ in sorted(spans)), stop.start_s]
    return sum(awake_s(start - end, after=end > 0.0) for end, start in zip(ends, starts, strict=True))
