"""One value of a day: a statistic of its samples, known at the last of them."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel, panel

MIN_SAMPLES: Final = 10
"""A day with fewer says nothing, because single readings would decide (engineering estimate)."""

Statistic = Callable[[NDArray[np.float64]], np.float64]


def daily(
    times: NDArray[np.datetime64],
    values: NDArray[np.float64],
    statistic: Statistic = np.median,
    least: int = MIN_SAMPLES,
) -> Panel:
    """The statistic of the values that are known, at the time of the last; nothing if they are fewer than `least`."""
    known = np.isfinite(values)
    if known.sum() < least:
        return panel([], [])
    return panel(times[known][-1:], [statistic(values[known])])
