"""Whole lives of simulated cars."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from simulator.car import Car, build_car, suits
from simulator.fault_modes import FAULT_MODES
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.truth import FaultTruth
from vehicle.batch import Event
from vehicle.failure import FailureMode

Life = tuple[np.ndarray[Any, np.dtype[Any]], dict[str, np.ndarray[Any, np.dtype[Any]]], list[Event]]


def _lives(fleet: Fleet) -> dict[str, Life]:
    """Times, columns (NaN where a signal was not sampled) and events of every vehicle over all days."""
    parts: dict[str, list[Any]] = {}
    for index in range(fleet.days):
        for vehicle_id, samples in fleet.day(index):
            parts.setdefault(vehicle_id, []).append(samples)
    lives = {}
    for vehicle_id, days in parts.items():
        shapes = {name: values.shape[1:] for day in days for name, values in day.columns.items()}
        columns = {
            name: np.concatenate([day.columns.get(name, np.full((len(day.times), *shape), np.nan)) for day in days])
            for name, shape in shapes.items()
        }
        times = np.concatenate([day.times for day in days])
        lives[vehicle_id] = times, columns, [event for day in days for event in day.events]
    return lives


@pytest.fixture(scope="session")
def lives() -> Callable[[Fleet], dict[str, Life]]:
    """The function that lets a fleet live all its days."""
    return _lives


@dataclass(frozen=True)
class Twins:
    """A car with one fault and the same car without it, through all days."""

    fault: FaultTruth
    struck: Life
    healthy: Life

    def before_failure(self, name: str) -> tuple[Any, Any]:
        """A signal of both at the same times, up to the failure; NaN where it was not sampled."""
        times, columns, _ = self.struck
        rows = int((times < self._naive(self.fault.failed_at)).sum())
        assert (times[:rows] == self.healthy[0][:rows]).all()
        return columns[name][:rows], self.healthy[1][name][:rows]

    def raised(self, name: str) -> Any:
        """How far the fault moved a signal before the failure, where it was sampled."""
        own, twin = self.before_failure(name)
        moved = own - twin
        return moved[np.isfinite(moved)]

    def check_onset(self) -> None:
        """Equal to the bit until the onset, and visible before failed."""
        times, columns, _ = self.struck
        before = int((times < self._naive(self.fault.onset_at) - np.timedelta64(1, "s")).sum())
        assert before > 100
        assert (times[:before] == self.healthy[0][:before]).all()
        assert columns.keys() == self.healthy[1].keys()
        for name, values in columns.items():
            assert values[:before].tobytes() == self.healthy[1][name][:before].tobytes(), name
        onset = self._naive(self.fault.onset_at)
        assert onset < self._naive(self.fault.first_visible_at) < self._naive(self.fault.failed_at)

    def check_failure(self) -> None:
        """It fails about when the growth says."""
        mode = FAULT_MODES[FailureMode(self.fault.failure_mode)]
        onset, failed = self._naive(self.fault.onset_at), self._naive(self.fault.failed_at)
        days = (failed - onset) / np.timedelta64(1, "D")
        # Three deviations of the duration, and as much again for how the car is used; then the wait for a drive.
        most = np.exp(3.0 * mode.scatter) * 1.5
        assert mode.duration_days / most < days < mode.duration_days * most + 7.0

    @staticmethod
    def _naive(at: datetime | None) -> Any:
        assert at is not None
        return np.datetime64(at.astimezone(UTC).replace(tzinfo=None))


def _twins(modes: Sequence[FailureMode], seed: int, days: int, start: date) -> dict[FailureMode, Twins]:
    """Each mode from the fifth day on in a car of its own, one of those that show it well."""
    cars = [build_car(seed, number, days, ()) for number in range(24)]
    chosen: dict[FailureMode, Car] = {}
    for mode in modes:
        car = next(one for one in cars if suits(one, mode) and one not in chosen.values())
        chosen[mode] = car
    vehicles = max(car.number for car in chosen.values()) + 1
    orders = [FaultOrder(mode, car.vehicle_id, 4.0) for mode, car in chosen.items()]
    fleet = build_fleet(vehicles, days, seed, start, orders)
    struck, healthy = _lives(fleet), _lives(build_fleet(vehicles, days, seed, start, []))
    return {
        FailureMode(fault.failure_mode): Twins(fault, struck[fault.vehicle_id], healthy[fault.vehicle_id])
        for fault in fleet.truth.faults
    }


@pytest.fixture(scope="session")
def twins() -> Callable[[Sequence[FailureMode], int, int, date], dict[FailureMode, Twins]]:
    """The function that puts each mode into a car and lets it and its sound twin live all days."""
    return _twins
