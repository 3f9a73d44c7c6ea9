"""Simulated fleets in memory, judged by detectors as `flows.diagnose` runs them, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from flows.judging import Detector
from flows.one_car import JudgedCar, Samples, judge_history
from simulator.faults import FaultOrder
from simulator.fleet import build_fleet
from simulator.truth import Truth
from vehicle.batch import Event
from vehicle.vehicle import VehicleRecord

Columns = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class JudgedFleet:
    """A simulated fleet, judged, and the truth about it."""

    cars: list[JudgedCar]
    truth: Truth


def judge_fleet(
    cars: int, days: int, seed: int, detectors: Sequence[Detector], faults: Sequence[FaultOrder] | None = None
) -> JudgedFleet:
    """Simulate and judge a fleet that starts on 1 March."""
    fleet = build_fleet(cars, days, seed, date(2026, 3, 1), faults)
    samples: dict[str, list[tuple[NDArray[np.datetime64], Columns]]] = {}
    events: dict[str, list[Event]] = {}
    for index in range(days):
        for vehicle_id, day in fleet.day(index):
            events.setdefault(vehicle_id, []).extend(day.events)
            if len(day.times):
                samples.setdefault(vehicle_id, []).append((day.times, day.columns))
    judged = [
        judge_history(_joined(one.record, samples[one.vehicle_id], events[one.vehicle_id]), detectors)
        for one in fleet.vehicles
    ]
    return JudgedFleet(judged, fleet.truth)


def _joined(
    vehicle: VehicleRecord, parts: Sequence[tuple[NDArray[np.datetime64], Columns]], events: Sequence[Event]
) -> Samples:
    shapes = {name: values.shape[1:] for _, columns in parts for name, values in columns.items()}
    columns = {
        name: np.concatenate([each.get(name, np.full((len(times), *shape), np.nan)) for times, each in parts])
        for name, shape in shapes.items()
    }
    return Samples(vehicle, np.concatenate([times for times, _ in parts]), columns, tuple(events))
