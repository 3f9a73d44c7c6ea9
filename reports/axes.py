"""Axes: where a value or a time lies on a chart, and which ticks a person can read."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from vehicle.moment import instant

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 604_800
_STEPS_S = (
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 3, 7, 14)),
)
_FIRST_MONDAY_S = 4 * _DAY
"""1 January 1970 was a Thursday; ticks of a week or more fall on Mondays."""
_MONTHS_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_MONTH_DAYS = 30.4
_MOST_TICKS = 6
"""Along the time axis: as many labels as a phone has room for."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One labelled place on an axis; `position` runs from 0 at its start to 1 at its end."""

    position: float
    label: str


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Time from left to right, in UTC."""

    start: datetime
    end: datetime

    def positions(self, times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Where these times lie, 0 to 1 from left to right; outside the axis below 0 or above 1."""
        origin, end = instant(self.start), instant(self.end)
        return np.asarray((times.astype("datetime64[us]") - origin) / (end - origin), dtype=np.float64)

    def position(self, at: datetime) -> float:
        """Where one time lies, 0 to 1."""
        return (at - self.start) / (self.end - self.start)

    def ticks(self) -> list[Tick]:
        """A few ticks on full minutes, hours, days, Mondays or months."""
        step_s = self._step_s()
        if step_s is None:
            return self._month_ticks()
        offset = _FIRST_MONDAY_S if step_s >= _WEEK else 0
        first = math.ceil((self.start.timestamp() - offset) / step_s) * step_s + offset
        at_s = np.arange(first, self.end.timestamp(), step_s)
        times = [datetime.fromtimestamp(at, UTC) for at in at_s.tolist()]
        label = _clock_label if step_s < _DAY else _date_label
        return [Tick(self.position(at), label(at)) for at in times]

    def title(self) -> str:
        """What the axis shows, in which unit, for a reader who sees nothing else."""
        step_s, middle = self._step_s(), self.start + (self.end - self.start) / 2
        if step_s is None:
            return "months (UTC)"
        if step_s >= _DAY:
            return f"days (UTC), {middle:%Y}"
        return f"hours (UTC), {middle:%-d %b %Y}"

    def _step_s(self) -> int | None:
        """Seconds from tick to tick; None: months."""
        span_s = (self.end - self.start).total_seconds()
        return next((step for step in _STEPS_S if span_s / step <= _MOST_TICKS), None)

    def _month_ticks(self) -> list[Tick]:
        months = (self.end - self.start) / timedelta(days=_MONTH_DAYS)
        step = next((step for step in _MONTHS_STEPS if months / step <= _MOST_TICKS), _MONTHS_STEPS[-1])
        first, last = (at.year * 12 + at.month - 1 for at in (self.start, self.end))
        starts = (
            datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            for month in range(-(-first // step) * step, last + 1, step)
        )
        return [Tick(self.position(at), f"{at:%b %Y}") for at in starts if self.start <= at <= self.end]


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """Values from the bottom up, with ends and steps a person would choose."""

    low: float
    high: float
    step: float

    @classmethod
    def around(cls, values: NDArray[np.float64], *, steps: int = 5) -> "ValueAxis":
        """An axis that holds all finite `values` with a little air, in about `steps` round steps."""
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if high - low < 1e-9 * max(abs(low), abs(high), 1.0):
            air = abs(low) * 0.05 or 0.5
            low, high = low - air, high + air
        air = 0.06 * (high - low)
        step = _round_step((high - low + 2 * air) / steps)
        bottom = 0.0 if low >= 0 > low - air else low - air
        return cls(bottom, high + air, step)

    def positions(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where these values lie, 0 to 1 from bottom to top."""
        return np.asarray((values - self.low) / (self.high - self.low), dtype=np.float64)

    def position(self, value: float) -> float:
        """Where one value lies, 0 to 1 from bottom to top."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[Tick]:
        """Every multiple of the step on the axis."""
        first = math.ceil(self.low / self.step)
        last = math.floor(self.high / self.step + 1e-9)
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        values = [round(n * self.step, 12) + 0.0 for n in range(first, last + 1)]
        return [Tick(self.position(value), f"{value:,.{decimals}f}") for value in values]


def _round_step(rough: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return float(next(n * magnitude for n in (1, 2, 5, 10) if n * magnitude >= rough * (1 - 1e-9)))


def _clock_label(at: datetime) -> str:
    return _date_label(at) if at.hour == at.minute == 0 else f"{at:%H:%M}"


def _date_label(at: datetime) -> str:
    return f"{at:%-d %b}"
