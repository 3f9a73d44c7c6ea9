"""First-order recurrences over many cars' samples at once.

Lags, counters and slow drifts are all ``y[i] = keep[i] * y[i-1] + gain[i]``. Combining neighbours at doubling
distances solves it in log2(samples) array operations (Hillis and Steele 1986), not in one Python step per sample. A
row's result depends on its own car's rows only, to the last bit, because `keep` is 0 at each car's first row.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_TINY: Final = 1e-184
"""Added and taken away again it leaves weights as they are, but makes 0 of those below 1e-200: products of many would
become subnormal numbers, which are slow."""


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
    if _nothing(gain, before):
        return np.zeros_like(gain)
    weight, value = keep.copy(), gain.copy()
    value[first] += weight[first] * before
    weight[first] = 0.0
    longest = max(int((first[1:] - first[:-1]).max(initial=0)), len(keep) - int(first[-1])) if len(first) else 0
    product, squared = np.empty_like(value), np.empty_like(value)
    distance = 1
    while distance < longest:
        part = product[distance:]
        np.multiply(weight[distance:], value[:-distance], out=part)
        value[distance:] += part
        squared[:distance] = weight[:distance]
        part = squared[distance:]
        np.multiply(weight[distance:], weight[:-distance], out=part)
        part += _TINY
        part -= _TINY
        weight, squared = squared, weight
        distance *= 2
    return value


def total(gain: NDArray[np.float64], first: NDArray[np.intp], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same where all is kept: each series added up."""
    if _nothing(gain, before):
        return np.zeros_like(gain)
    value = gain.copy()
    value[first] += before
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(gain)], strict=True):
        part = value[begin:end]
        np.add.accumulate(part, out=part)
    return value


def _nothing(gain: NDArray[np.float64], before: NDArray[np.float64]) -> bool:
    """Many counters count what never happens in a sound car."""
    return not (gain.any() or before.any())
