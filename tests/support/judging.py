"""Detectors over a history held in memory, day by day as `flows.diagnose` runs them, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from features.table import ARRAYS, observe
from features.window import LOOKBACK, Window
from flows.diagnose import Detector
from simulator.faults import FaultOrder
from simulator.fleet import build_fleet
from simulator.truth import Truth
from vehicle.finding import Finding
from vehicle.moment import instant
from vehicle.vehicle import VehicleRecord

Columns = Mapping[str, NDArray[np.float64]]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One car's samples, from first to last."""

    vehicle: VehicleRecord
    times: NDArray[np.datetime64]
    columns: Columns

    def windows(self) -> list[Window]:
        """One per day."""
        scalars = {name: values for name, values in self.columns.items() if values.ndim == 1}
        frame = pd.DataFrame(scalars, index=pd.DatetimeIndex(self.times, tz="UTC"))
        first, last = (datetime.fromisoformat(str(at)[:10]).replace(tzinfo=UTC) for at in self.times[[0, -1]])
        return [self._window(frame, first + DAY * number) for number in range((last - first) // DAY + 1)]

    def _window(self, frame: pd.DataFrame, day: datetime) -> Window:
        before, start, end = np.searchsorted(self.times, [instant(at) for at in (day - LOOKBACK, day, day + DAY)])
        arrays = {}
        for name in ARRAYS:
            if name in self.columns:
                values = self.columns[name][start:end]
                sampled = np.isfinite(values).any(axis=1)
                arrays[name] = (self.times[start:end][sampled], values[sampled])
        return Window(self.vehicle, day, day + DAY, frame.iloc[before:end], arrays)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedCar:
    """What the detectors said of one car, and what they saw."""

    vehicle: VehicleRecord
    observations: list[dict[str, Panel]]
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedFleet:
    """A simulated fleet, judged, and the truth about it."""

    cars: list[JudgedCar]
    truth: Truth


def judge_days(
    vehicle: VehicleRecord, days: Sequence[Mapping[str, Panel]], detectors: Sequence[Detector]
) -> list[Finding]:
    """What detectors find in a car's days of observations."""
    found = []
    for detector in detectors:
        state = None
        for observations in days:
            state, news = detector.evaluate(vehicle, observations, state)
            found += news
    return found


def judge_history(history: History, detectors: Sequence[Detector]) -> JudgedCar:
    """Observe and judge a car's whole history."""
    days = [observe(window) for window in history.windows()]
    return JudgedCar(history.vehicle, days, judge_days(history.vehicle, days, detectors))


def judge_fleet(
    cars: int, days: int, seed: int, detectors: Sequence[Detector], faults: Sequence[FaultOrder] | None = None
) -> JudgedFleet:
    """Simulate and judge a fleet that starts on 1 March."""
    fleet = build_fleet(cars, days, seed, date(2026, 3, 1), faults)
    samples: dict[str, list[tuple[NDArray[np.datetime64], Columns]]] = {}
    for index in range(days):
        for vehicle_id, day in fleet.day(index):
            if len(day.times):
                samples.setdefault(vehicle_id, []).append((day.times, day.columns))
    judged = [
        judge_history(_joined(vehicle.record, samples[vehicle.vehicle_id]), detectors) for vehicle in fleet.vehicles
    ]
    return JudgedFleet(judged, fleet.truth)


def _joined(vehicle: VehicleRecord, parts: Sequence[tuple[NDArray[np.datetime64], Columns]]) -> History:
    shapes = {name: values.shape[1:] for _, columns in parts for name, values in columns.items()}
    columns = {
        name: np.concatenate([each.get(name, np.full((len(times), *shape), np.nan)) for times, each in parts])
        for name, shape in shapes.items()
    }
    return History(vehicle, np.concatenate([times for times, _ in parts]), columns)
