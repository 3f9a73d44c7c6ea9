"""How long a part that gets steadily worse will last: a robust line to a functional limit (ISO 13381-1)."""

import math
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.trend import trend
from vehicle.finding import RemainingUsefulLife

RECENT: Final = timedelta(days=7)
"""Wear speeds up: the line is drawn through this much of the latest observations (engineering estimate)."""
MIN_OBSERVATIONS: Final = 5
LONGEST_DAYS: Final = 365.0
"""Further than a year ahead a line through two weeks says nothing."""


def remaining_life(
    times: NDArray[np.datetime64], values: NDArray[np.float64], limit: float, *, logarithmic: bool = False
) -> RemainingUsefulLife | None:
    """Days from the last observation until the line meets the limit; None where no approach to it is proven.

    Args:
        times: when each value was observed, increasing.
        values: the observations, in the limit's unit.
        limit: the value at functional failure.
        logarithmic: the course is straight on a logarithmic scale.
    """
    if logarithmic:
        values, limit = np.log(np.where(values > 0, values, np.nan)), math.log(limit)
    if not len(times):
        return None
    days = (times - times[-1]) / np.timedelta64(1, "D")
    recent = (days > -(RECENT / timedelta(days=1))) & np.isfinite(values)
    days, values = days[recent], values[recent]
    line = trend(days, values) if len(days) >= MIN_OBSERVATIONS else None
    if line is None:
        return None
    ahead = limit - line.intercept
    if ahead * line.proven <= 0:
        return None
    low, expected, high = sorted(float(ahead / slope) for slope in (line.low, line.slope, line.high))
    if not math.isfinite(high) or expected > LONGEST_DAYS:
        return None
    return RemainingUsefulLife(low, expected, min(high, LONGEST_DAYS))
