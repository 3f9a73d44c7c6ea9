"""Detectors over one car's samples held in memory, as `flows.diagnose` runs them day by day, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from features.table import ARRAYS, observe
from features.window import LOOKBACK, Window
from flows.judging import Detector
from rules.detector import RuleBook, RuleDetector
from rules.engine.needs import margin, signals
from rules.rule import Rule
from rules.told import is_scalar, told
from vehicle.batch import Event
from vehicle.finding import Finding
from vehicle.moment import instant
from vehicle.vehicle import VehicleRecord

Columns = Mapping[str, NDArray[np.float64]]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One car's, from first to last."""

    vehicle: VehicleRecord
    times: NDArray[np.datetime64]
    columns: Columns
    events: tuple[Event, ...] = ()

    def days(self, rules: Sequence[Rule]) -> list[dict[str, Panel]]:
        """What can be told of each day, as `flows.observations` does."""
        return [{**self._told(window, rules), **observe(window)} for window in self.windows()]

    def _told(self, window: Window, rules: Sequence[Rule]) -> dict[str, Panel]:
        start = window.start - max(LOOKBACK, margin(rules))
        inside = (self.times >= instant(start)) & (self.times < instant(window.end))
        needed = [name for name in signals(rules) if name in self.columns]
        frame = pd.DataFrame(
            {name: self.columns[name][inside] for name in needed if is_scalar(name)},
            index=pd.DatetimeIndex(self.times[inside], tz="UTC"),
        )
        arrays = {name: (self.times[inside], self.columns[name][inside]) for name in needed if not is_scalar(name)}
        return told(frame, arrays, [one for one in self.events if window.start <= one.at < window.end])

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


def judge_history(samples: Samples, detectors: Sequence[Detector]) -> JudgedCar:
    """Observe and judge a car's whole history."""
    rules = tuple(one.rule for one in detectors if isinstance(one, RuleDetector))
    days = samples.days(rules)
    found = RuleBook(rules).evaluate(samples.vehicle, in_hindsight(days), {})[1]
    found += judge_days(samples.vehicle, days, [one for one in detectors if not isinstance(one, RuleDetector)])
    return JudgedCar(samples.vehicle, days, found)


def in_hindsight(days: Sequence[Mapping[str, Panel]]) -> dict[str, Panel]:
    """The observations of all days as one run is given them: rules find the same in them, sooner."""
    parts: dict[str, list[Panel]] = {}
    for day in days:
        for name, one in day.items():
            parts.setdefault(name, []).append(one)
    return {name: _one_panel(panels) for name, panels in parts.items()}


def _one_panel(panels: Sequence[Panel]) -> Panel:
    widest = max((one.locations for one in panels), key=len)
    times, places = np.unique(np.concatenate([one.times for one in panels]), return_index=True)
    values = [
        np.pad(one.values, ((0, 0), (0, len(widest) - len(one.locations))), constant_values=np.nan) for one in panels
    ]
    return Panel(times, np.concatenate(values)[places], widest)
