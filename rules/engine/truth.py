"""Three-valued logic (Kleene): truths are 1 and 0, and NaN is unknown."""

from collections.abc import Iterable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Truths = NDArray[np.float64]


def both(left: Truths, right: Truths) -> Truths:
    """False if either is false, true if both are true."""
    return np.where((left == 0) | (right == 0), 0.0, left * right)


def either(left: Truths, right: Truths) -> Truths:
    """True if either is true, false if both are false."""
    return np.where((left == 1) | (right == 1), 1.0, left + right)


def every(truths: Iterable[Truths]) -> Truths:
    """False if any is false, true if all are true."""
    return reduce(both, truths)


def some(truths: Iterable[Truths]) -> Truths:
    """True if any is true, false if all are false."""
    return reduce(either, truths)
