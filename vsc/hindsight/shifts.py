"""What somebody on duty would have seen: how many fires fall into one shift.

Shifts follow each other at the same hours of every day, UTC, the first from midnight on; one in which nothing fired
counts, too.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

DAY: Final = timedelta(days=1)
USUAL: Final = timedelta(hours=8)
QUIET_PERCENT: Final = 95
"""Of the shifts, that see no more than `ShiftLoad.p95`; a whole number, as 0.95 times a hundred is not 95."""


@dataclass(frozen=True, slots=True)
class ShiftLoad:
    """Fires per shift."""

    shifts: int
    mean: float
    p95: int
    """The smallest number that 95 % of the shifts do not exceed."""
    max: int


def shift_load(ats: Iterable[datetime], span: tuple[datetime, datetime], length: timedelta = USUAL) -> ShiftLoad:
    """How many of some times fall into each shift that overlaps a half-open span; times outside it are left out.

    Raises:
        ValueError: if a day is no whole number of shifts.
    """
    if not timedelta(0) < length <= DAY or DAY % length:
        raise ValueError("a day must be a whole number of shifts")
    start, end = span
    if end <= start:
        return ShiftLoad(0, 0.0, 0, 0)
    first, last = _number(start, length), _number(end - timedelta(microseconds=1), length)
    counts = Counter(_number(at, length) for at in ats if start <= at < end)
    shifts = last - first + 1
    fires = sorted([*counts.values(), *[0] * (shifts - len(counts))])
    return ShiftLoad(shifts, round(sum(fires) / shifts, 4), fires[-(-shifts * QUIET_PERCENT // 100) - 1], fires[-1])


def _number(at: datetime, length: timedelta) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // length
