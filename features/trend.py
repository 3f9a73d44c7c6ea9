"""A straight line through scattered observations that a few wild ones cannot tilt (Theil 1950, Sen 1968)."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

MIN_POINTS = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """A line value = intercept + slope * days, with the interval that holds the slope."""

    slope: float
    """Per day."""
    low: float
    high: float
    intercept: float
    """At day 0 of the times given."""

    @property
    def proven(self) -> float:
        """The slope nearest to zero within the interval: what the observations prove, 0 if its sign is open."""
        if self.low > 0:
            return self.low
        return self.high if self.high < 0 else 0.0


def trend(days: NDArray[np.float64], values: NDArray[np.float64], confidence: float = 0.95) -> Trend | None:
    """The median of all slopes between two points, and Sen's interval for it; None for too few points.

    The interval takes ties into account (Sen 1968, equation 2.6): a quantised sensor proves nothing by standing still.
    """
    if len(days) < MIN_POINTS:
        return None
    first, second = np.triu_indices(len(days), k=1)
    apart = days[second] - days[first]
    slopes = np.sort((values[second] - values[first])[apart != 0] / apart[apart != 0])
    if not len(slopes):
        return None
    slope = float(np.median(slopes))
    spread = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(_variance(values))
    outer = round((len(slopes) - spread) / 2) - 1
    low, high = (float(slopes[outer]), float(slopes[-1 - outer])) if outer >= 0 else (-math.inf, math.inf)
    return Trend(slope, low, high, intercept=float(np.median(values) - slope * np.median(days)))


def _variance(values: NDArray[np.float64]) -> float:
    """Variance of Kendall's S over n values, some of them alike."""
    n = len(values)
    ties = np.unique(values, return_counts=True)[1]
    return float(n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
