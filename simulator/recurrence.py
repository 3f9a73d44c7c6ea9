"""First-order recurrences over many cars' samples at once.

Lags, counters and slow drifts are all ``y[i] = keep[i] * y[i-1] + gain[i]``. Combining neighbours at doubling
distances solves it in log2(samples) array operations (Hillis and Steele 1986), not in one Python step per sample. A
row's result depends on its own car's rows only, to the last bit, because `keep` is 0 at each car's first row.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

NEGLIGIBLE: Final = 1e-200
"""Weights below it are 0: products of many would become subnormal numbers, which are slow."""


def recur(
    keep: NDArray[np.float64],
    gain: NDArray[np.float64],
    first: NDArray[np.intp],
    before: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Solve ``y[i] = keep[i] * y[i-1] + gain[i]`` for series that lie one after the other.

    Args:
        keep: share of the value that stays, 0 to 1, shape (n,).
        gain: what is added, shape (n,).
        first: the row at which each series starts, shape (series,), increasing.
        before: each series' value before its first row, shape (series,).

    Returns:
        The values, shape (n,).
    """
    weight, value = keep.copy(), gain.copy()
    value[first] += weight[first] * before
    weight[first] = 0.0
    longest = int(np.diff(first, append=len(keep)).max(initial=0))
    product = np.empty_like(value)
    distance = 1
    while distance < longest:
        part = product[distance:]
        np.multiply(weight[distance:], value[:-distance], out=part)
        value[distance:] += part
        np.multiply(weight[distance:], weight[:-distance], out=part)
        part[part < NEGLIGIBLE] = 0.0
        weight[distance:] = part
        distance *= 2
    return value
