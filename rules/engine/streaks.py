"""Unbroken times of a truth: since when, and at how many samples, it has held at each."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rules.engine.clock import Places, Times
from rules.engine.windows import MICROSECOND

LONGEST_SILENCE: Final = timedelta(days=7)
"""Samples further apart than this do not confirm each other (engineering estimate)."""


@dataclass(frozen=True, slots=True, eq=False)
class Streaks:
    """Per sample at which the truth is known."""

    times: Times
    holds: NDArray[np.bool_]
    first: Places
    """Where the present streak began; of no meaning where it does not hold."""
    carried: NDArray[np.bool_]
    """Whether it goes on since before the first sample."""


def streaks(times: Times, holds: NDArray[np.bool_], told_at: int | None) -> Streaks:
    """The streaks of a truth that was known last before, and held then, at `told_at`; None: it did not."""
    places = np.arange(len(times))
    if not len(times):
        return Streaks(times, holds, places, holds)
    silent = np.diff(times, prepend=times[0] if told_at is None else told_at) > LONGEST_SILENCE // MICROSECOND
    before = np.concatenate(([told_at is not None], holds[:-1]))
    begins = holds & (~before | silent)
    goes_on = ~np.logical_or.accumulate(begins | ~holds)
    first = np.maximum.accumulate(np.where(begins, places, 0))
    return Streaks(times, holds, first, goes_on)
