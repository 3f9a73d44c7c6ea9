"""One vehicle's samples as features read them: one day, and as much before it as rests and charges need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vehicle.moment import instant
from vehicle.vehicle import VehicleRecord

LOOKBACK: Final = timedelta(days=1)
"""How much before its start a window may hold, so that a night's rest is seen whole."""

Array = tuple[NDArray[np.datetime64], NDArray[np.float64]]
"""Times, shape (n,), and values of like parts, shape (n, k)."""


def times_of(frame: pd.DataFrame) -> NDArray[np.datetime64] | None:
    """The times of a frame's rows, datetime64[us], UTC; None where it has no times, as one without samples."""
    index = frame.index
    return index.as_unit("us").asi8.view("datetime64[us]") if isinstance(index, pd.DatetimeIndex) else None


@dataclass(frozen=True, eq=False)
class Window:
    """The samples of [start, end), and those of up to `LOOKBACK` before; nothing of them is judged twice."""

    vehicle: VehicleRecord
    start: datetime
    end: datetime
    frame: pd.DataFrame
    """Scalar signals by time (UTC, increasing); NaN or a missing column: not sampled."""
    arrays: Mapping[str, Array] = field(default_factory=dict)

    @cached_property
    def times(self) -> NDArray[np.datetime64]:
        """The frame's times, datetime64[us], UTC."""
        times = times_of(self.frame)
        return np.empty(0, dtype="datetime64[us]") if times is None else times

    def signal(self, name: str) -> NDArray[np.float64]:
        """A scalar signal at `times`, NaN where it was not sampled."""
        place = self._places.get(name)
        return np.full(len(self.frame), np.nan) if place is None else self._values[:, place]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.frame.columns)}

    @cached_property
    def _values(self) -> NDArray[np.float64]:
        """The whole frame: asking pandas for one column after the other takes a third of all features' time."""
        return self.frame.to_numpy(dtype=np.float64, na_value=np.nan)

    def inside(self, times: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Which times lie in [start, end) rather than before."""
        return self._inside if times is self.times else self._between(times)

    @cached_property
    def _inside(self) -> NDArray[np.bool_]:
        """Of `times`, which every feature asks for."""
        inside = self._between(self.times)
        inside.flags.writeable = False
        return inside

    def _between(self, times: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        return (times >= instant(self.start)) & (times < instant(self.end))


def held(values: NDArray[np.float64], times: NDArray[np.datetime64], longest: timedelta) -> NDArray[np.float64]:
    """The values, each standing until the next one, but no longer than `longest`."""
    if not len(values):
        return values
    # Before the first value the latest is the first place, which has none.
    latest = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))
    return np.where(times - times[latest] <= np.timedelta64(longest), values[latest], np.nan)
