"""When to try again: the schedule of attempts at the booking system, without any clock of its own."""

from datetime import datetime, timedelta
from typing import Final

import numpy as np

DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long to wait after the first, second, ... failed attempt; after the last there is none."""
JITTER: Final = 0.2
"""Each delay is longer or shorter by up to this part, so that what failed together does not come back together."""
LONGEST_ASKED: Final = timedelta(hours=1)
"""How far a Retry-After is honoured."""


def next_attempt_at(
    failed_at: datetime, attempts: int, rng: np.random.Generator, asked: timedelta | None = None
) -> datetime | None:
    """When to try again after `attempts` attempts, not before the time asked for; None: never.

    Args:
        failed_at: when the latest attempt ended.
        attempts: how many there have been, from 1.
        rng: source of the jitter.
        asked: the answer's Retry-After, if it had one.
    """
    if attempts > len(DELAYS):
        return None
    delay = DELAYS[attempts - 1] * rng.uniform(1 - JITTER, 1 + JITTER)
    return failed_at + max(delay, min(asked or timedelta(), LONGEST_ASKED))
