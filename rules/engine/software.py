"""Whether cars had software that a rule is for, at the samples at which it is judged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np

from rules.engine.clock import Clock, clock_of
from rules.engine.columns import Values
from vehicle.moment import microseconds
from vehicle.software import is_meant, timeline
from vehicle.vehicle import VehicleRecord

_LATEST: Final = (1 << 53) - 1
"""No time of a clock is later; none lies before 1970."""


def runs(patterns: Sequence[str], vehicles: Sequence[VehicleRecord], clock: Clock) -> Values:
    """1 where a car's version was one of those that are meant, 0 where it was another, NaN where none is known.

    Args:
        patterns: versions, or beginnings of them and ``*``.
        vehicles: the cars of the clock.
        clock: n times.

    Returns:
        shape (n, 1).
    """
    timelines = [timeline(vehicle.software) for vehicle in vehicles]
    since = [np.array([microseconds(one.since) for one in versions], np.int64) for versions in timelines]
    updates = clock_of([np.clip(times, 0, _LATEST) for times in since])
    meant = [any(is_meant(one.version, pattern) for pattern in patterns) for versions in timelines for one in versions]
    # The last value is for place -1: no version is known yet.
    return np.array([*meant, np.nan])[updates.latest(clock)][:, None]


def other(patterns: Sequence[str], vehicle: VehicleRecord, at: datetime) -> str | None:
    """The version that a car had at a time, if it is not meant; None: it is, or none is known or asked for."""
    if not patterns:
        return None
    version = next((one.version for one in reversed(timeline(vehicle.software)) if one.since <= at), None)
    return None if version is None or any(is_meant(version, pattern) for pattern in patterns) else version
