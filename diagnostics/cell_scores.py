"""How far each cell group of a pack stands behind its peers on one day."""

from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

WARN_MV: Final = 20.0
ALERT_MV: Final = 30.0
"""OVMS, `vehicle.h`: how far beyond the standard deviation a cell's voltage warns, and alerts."""
MIN_TELLING: Final = 5
"""So many groups must stand out of a pack's own pattern for its stretch to be told (engineering estimate)."""
MAX_STRETCH: Final = 2.0
"""Beyond it a stretched pattern is no longer the same pattern (engineering estimate)."""

CHANCE: Final = 1e-4
"""How likely any group of a sound pack may be beyond the limit if groups scatter normally (engineering estimate)."""

_MAD_TO_SIGMA: Final = 1.4826
_NORMAL: Final = NormalDist()
_TENTH: Final = 0.1


def robust_sigma(values: NDArray[np.float64]) -> float:
    """The standard deviation of the bulk: 1.4826 times the median absolute deviation."""
    return float(_MAD_TO_SIGMA * np.nanmedian(np.abs(values - np.nanmedian(values))))


def limit_mv(values: NDArray[np.float64], beyond_mv: float = WARN_MV) -> float:
    """How far behind a group may be: OVMS's standard deviation and `beyond_mv`, but no less than chance explains.

    In a pack that scatters widely some sound group lies beyond the first figure. What chance explains goes by the
    scatter of the bulk or of the lower side (the tenth lowest of a hundred groups), whichever is less: packs often
    scatter more upwards, and weak groups must not raise their own limit.
    """
    sigma = robust_sigma(values)
    lower = float(np.nanmedian(values) - np.nanquantile(values, _TENTH)) / -_NORMAL.inv_cdf(_TENTH)
    by_chance = -_NORMAL.inv_cdf(CHANCE / max(int(np.isfinite(values).sum()), 1)) * min(sigma, lower)
    return max(sigma + beyond_mv, by_chance)


def scores(
    deviation: NDArray[np.float64], baseline: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How abnormal each group is: scores (1: the lower threshold; NaN: unknown) and grades (0, 1 warns, 2 alerts).

    Args:
        deviation: mV of each group from its pack's median.
        baseline: the same on the car's first days, None while there are too few.
    """
    views = [deviation] if baseline is None else [deviation, drift(deviation, baseline)]
    warn = np.fmax.reduce([-view / limit_mv(view) for view in views])
    alert = np.fmax.reduce([-view / limit_mv(view, ALERT_MV) for view in views])
    return warn, (warn >= 1).astype(np.int64) + (alert >= 1)


def drift(deviation: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    """What of today's deviations the pack's own pattern does not explain.

    Groups of unequal charge stand further apart where the voltage curve is steep, so the pattern is stretched or
    squeezed to today's before it is taken off.
    """
    telling = (np.abs(baseline) > max(robust_sigma(baseline), 1.0)) & np.isfinite(deviation)
    stretch = 1.0
    if telling.sum() >= MIN_TELLING:
        stretch = float(np.clip(np.median(deviation[telling] / baseline[telling]), 0.0, MAX_STRETCH))
    return deviation - stretch * baseline
