"""Functions across like parts: of shape (n, k) into (n, 1)."""

import numpy as np
from numpy.typing import NDArray

from rules.engine.columns import Values
from rules.language.functions import GroupFunction


def across(function: GroupFunction, values: Values, present: NDArray[np.bool_], *, truth: bool) -> Values:
    """One value for the car of its parts'; `present` is False for parts that the car does not have."""
    known = np.isfinite(values)
    some = known.any(axis=1)
    match function:
        case GroupFunction.COUNT:
            result = np.where(some, ((values == 1) if truth else known).sum(axis=1), np.nan)
        case GroupFunction.ANY:
            unknown = (present & ~known).any(axis=1)
            result = np.where((values == 1).any(axis=1), 1.0, np.where(unknown | ~some, np.nan, 0.0))
        case GroupFunction.ALL:
            unknown = (present & ~known).any(axis=1)
            result = np.where((values == 0).any(axis=1), 0.0, np.where(unknown | ~some, np.nan, 1.0))
        case GroupFunction.MEDIAN:
            result = _middle(values, known)
        case GroupFunction.SPREAD:
            spread = np.fmax.reduce(values, axis=1) - np.fmin.reduce(values, axis=1)
            result = np.where(known.sum(axis=1) > 1, spread, np.nan)
        case GroupFunction.ARGMAX:
            result = np.where(some, np.where(known, values, -np.inf).argmax(axis=1) + 1.0, np.nan)
        case GroupFunction.ARGMIN:
            result = np.where(some, np.where(known, values, np.inf).argmin(axis=1) + 1.0, np.nan)
        case GroupFunction.MAX:
            result = np.fmax.reduce(values, axis=1)
        case GroupFunction.MIN:
            result = np.fmin.reduce(values, axis=1)
    return np.asarray(result, dtype=np.float64)[:, None]


def _middle(values: Values, known: NDArray[np.bool_]) -> Values:
    """The median of each row's known values; for a few parts an order of magnitude faster than `numpy.nanmedian`."""
    count, rows = known.sum(axis=1), np.arange(len(values))
    ordered = np.sort(values, axis=1)  # NaN comes last
    lower = ordered[rows, np.maximum(count - 1, 0) // 2]
    upper = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    return np.where(count > 0, (lower + upper) / 2.0, np.nan)
