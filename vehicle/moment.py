"""The one crossing between NumPy's times and aware datetimes, both UTC to the microsecond."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time: np.datetime64) -> datetime:
    """The aware UTC datetime of a datetime64.

    Raises:
        OverflowError: if it lies outside the years 1 to 9999.
    """
    instant = time.astype("datetime64[us]").item()
    if not isinstance(instant, datetime):
        raise OverflowError("the time lies outside the years 1 to 9999")
    return instant.replace(tzinfo=UTC)


def instant(at: datetime) -> np.datetime64:
    """The datetime64[us] of an aware datetime."""
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


def moments(times: NDArray[np.datetime64]) -> list[datetime]:
    """The aware UTC datetimes of many datetime64 in the years 1 to 9999."""
    return [at.replace(tzinfo=UTC) for at in times.astype("datetime64[us]").tolist()]


def instants(ats: Iterable[datetime]) -> NDArray[np.datetime64]:
    """The datetime64[us] of many aware datetimes."""
    return np.array([microseconds(at) for at in ats], np.int64).view("datetime64[us]")


def microseconds(at: datetime) -> int:
    """Microseconds from 1970 to an aware datetime."""
    since = at - _ZERO
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
