"""The one crossing between NumPy's times and aware datetimes, both UTC to the microsecond."""

from datetime import UTC, datetime

import numpy as np


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
