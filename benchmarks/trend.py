"""Whether a figure stays as it is over a long run; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.trend import trend

FLAT_SHARE: Final = 0.05
"""A figure is flat if its line rises over the whole run by no more than this share of its median, or than its floor."""
SETTLING_SHARE: Final = 0.1
"""The first part of a run, in which caches fill and allocators find their size, is left out."""
_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure over a run."""

    figure: str
    median: float
    last: float
    slope_per_hour: float
    rise: float
    """Of the line (Theil-Sen) over the run, as far as the scatter proves one: its interval's end next to zero."""
    allowed: float
    """How much it may rise."""
    flat: bool


def judge(figure: str, at_s: Sequence[float], values: Sequence[float], floor: float) -> Verdict:
    """Judge the values of a figure, one a reading.

    Args:
        figure: Its name.
        at_s: When each was read, seconds since the beginning, increasing.
        values: As many.
        floor: A rise that means nothing, in the figure's unit.
    """
    settled = [index for index, at in enumerate(at_s) if at >= SETTLING_SHARE * at_s[-1]]
    times = np.array([at_s[index] for index in settled])
    kept = np.array([values[index] for index in settled], dtype=np.float64)
    line = trend(times / _HOUR_S, kept)
    median = float(np.median(kept))
    span_h = float(times[-1] - times[0]) / _HOUR_S
    slope, rise = (line.slope, float(line.proven * span_h)) if line else (0.0, 0.0)
    allowed = max(FLAT_SHARE * abs(median), floor)
    return Verdict(figure, median, float(values[-1]), slope, rise, allowed, flat=bool(rise <= allowed))
