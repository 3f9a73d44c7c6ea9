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
            result = np.full(len(values), np.nan)
            result[some] = np.nanmedian(values[some], axis=1)
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
