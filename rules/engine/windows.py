"""Functions over event-time windows (t - window, t], of many cars at once.

Each result depends on the values in its window alone, to the last bit: sums are those of whole numbers, which do not
round, so that it makes no difference where a history was cut. Window functions take a series' values and the first
place of each window; NaN is unknown and left out.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.indexers import BaseIndexer

from features.trend import trend
from rules.engine.clock import Clock, Places, Times

Series = NDArray[np.float64]

MICROSECOND: Final = timedelta(microseconds=1)
DAY_US: Final = 86_400_000_000
MOST_OF_TREND: Final = 120
"""A trend rests on so many values of its window at most, the latest."""
LEAST_OF_TREND: Final = 5
"""Fewer prove no trend: the chance that noise runs one way through four is one in twelve."""

_STEPS: Final = 2.0**24
"""Of sums to one: with 39 bits left, sums of a million values up to 500,000 are exact."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one length that end at the times of a clock."""

    clock: Clock
    length: int
    """Microseconds."""
    first: Places
    """Of each window, shape (n,)."""

    @property
    def after(self) -> Places:
        """The place after each window's last."""
        return np.arange(1, len(self.first) + 1)


def windows(clock: Clock, length: timedelta) -> Windows:
    """The windows of a clock."""
    span = length // MICROSECOND
    first = np.searchsorted(clock.keys, clock.keys - span, side="right")
    return Windows(clock, span, np.maximum(first, clock.starts[clock.car]))


def count(values: Series, over: Windows) -> Series:
    """How many values are known."""
    known: NDArray[np.int64] = np.isfinite(values).astype(np.int64)
    return np.asarray(_sums(known, over), dtype=np.float64)


def avg(values: Series, over: Windows) -> Series:
    """Their mean."""
    known = count(values, over)
    total = _sums(_whole(values), over) / _STEPS
    mean: Series = np.divide(total, known, out=np.full(len(values), np.nan), where=known > 0)
    return mean


def last(values: Series, over: Windows) -> Series:
    """The latest."""
    place = latest_known(values)
    return np.where(place >= over.first, values[place], np.nan)


def delta(values: Series, over: Windows) -> Series:
    """The latest less the first; unknown where that is the same one."""
    end, begin = latest_known(values), next_known(values)[over.first]
    return np.where(end > begin, values[end] - values[np.minimum(begin, len(values) - 1)], np.nan)


def time_since(values: Series, over: Windows, first_heard: Times) -> Series:
    """Seconds since the latest value; the window's length where there is none, if the car was heard before it."""
    times, place = over.clock.times, latest_known(values)
    heard = times - over.length >= first_heard
    without = np.where(heard, over.length * 1e-6, np.nan)
    return np.where(place >= over.first, (times - times[place]) * 1e-6, without)


def least(values: Series, over: Windows) -> Series:
    """The least."""
    return np.asarray(_rolling(values, over).min(), dtype=np.float64)


def greatest(values: Series, over: Windows) -> Series:
    """The greatest."""
    return np.asarray(_rolling(values, over).max(), dtype=np.float64)


def quantile(values: Series, over: Windows, share: float) -> Series:
    """The value below which a share lies, linear between the neighbours."""
    return np.asarray(_rolling(values, over).quantile(share), dtype=np.float64)


def slope(values: Series, over: Windows) -> Series:
    """Change per day of the least-squares line; unknown below two times.

    Times are counted in a 2**20th of the window, values in two parts, modulo 2**64: differences of such sums are exact.
    """
    known = np.isfinite(values)
    unit = max(over.length >> 20, 1)
    times = over.clock.times // unit
    high, low = np.divmod(_whole(values), 1 << 20)
    weight = known.astype(np.int64)
    n = _sums(weight, over)
    elapsed = _sums(weight * times, over) - n * times
    squares = _sums(weight * times * times, over) - 2 * times * elapsed - n * times * times
    total = _sums(high, over) * 2.0**20 + _sums(low, over)
    products = (_sums(high * times, over) - times * _sums(high, over)) * 2.0**20
    products += _sums(low * times, over) - times * _sums(low, over)
    spread = n * squares.astype(np.float64) - elapsed.astype(np.float64) ** 2
    rise = np.divide(n * products - elapsed * total, spread, out=np.full(len(values), np.nan), where=spread > 0)
    return np.asarray(rise / _STEPS * (DAY_US / unit), dtype=np.float64)


def proven_trend(values: Series, over: Windows) -> Series:
    """Change per day as far as the values prove one (`features.trend`)."""
    result = np.full(len(values), np.nan)
    places = np.flatnonzero(np.isfinite(values))
    begins = np.searchsorted(places, over.first)
    ends = np.searchsorted(places, over.after)
    for at in np.flatnonzero(ends - begins >= LEAST_OF_TREND):
        chosen = places[max(begins[at], ends[at] - MOST_OF_TREND) : ends[at]]
        line = trend(over.clock.times[chosen] / DAY_US, values[chosen])
        result[at] = np.nan if line is None else line.proven
    return result


def latest_known(values: Series) -> Places:
    """The place of the latest known value up to each place; -1: none."""
    return np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))


def next_known(values: Series) -> Places:
    """The place of the next known value from each place on; n: none."""
    places = np.where(np.isfinite(values), np.arange(len(values)), len(values))
    return np.minimum.accumulate(places[::-1])[::-1]


def _whole(values: Series) -> NDArray[np.int64]:
    return np.rint(np.where(np.isfinite(values), values, 0.0) * _STEPS).astype(np.int64)


def _sums(numbers: NDArray[np.int64], over: Windows) -> NDArray[np.int64]:
    """The sum of each window, modulo 2**64."""
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(numbers, dtype=np.int64)))
    return running[1:] - running[over.first]


class _Bounds(BaseIndexer):
    """The windows as pandas asks for them."""

    def __init__(self, over: Windows) -> None:
        super().__init__()
        self.over = over

    def get_window_bounds(
        self,
        num_values: int = 0,
        min_periods: int | None = None,
        center: bool | None = None,  # noqa: FBT001 -- as pandas has it
        closed: str | None = None,
        step: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        del num_values, min_periods, center, closed, step
        return self.over.first.astype(np.int64), self.over.after.astype(np.int64)


def _rolling(values: Series, over: Windows) -> Any:
    return pd.Series(values).rolling(_Bounds(over), min_periods=1)
