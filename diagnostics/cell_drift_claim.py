"""What the comparison of a pack with itself says: one finding, with every group that has left and the evidence."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from vehicle.failure import FailureMode
from vehicle.finding import Evidence, Finding, Severity, Trace

Course = Sequence[tuple[int, float]]
"""Microseconds since 1970 and mV."""

CONFIDENCE: Final = 0.8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CLEARS: Final = (
    "The groups named are back where they stood (below 60 % of the limit) for 24 judged hours in a row, as after a "
    "repair of the module."
)


def claim(
    detector: str,
    vehicle_id: str,
    courses: Mapping[str, Course],
    at: int,
    locations: tuple[str, ...],
    *,
    holds: bool,
) -> Finding:
    """The finding on a pack right after what is known of it has changed.

    Args:
        detector: the name it goes by.
        vehicle_id: whose pack it is.
        courses: of each group of `locations` what its standing has changed by, and under the empty name the limit.
        at: the hour, microseconds since 1970.
        locations: the groups it is about, in the order of their numbers.
        holds: whether it begins or goes on, rather than ends.
    """
    limit = courses[""][-1][1]
    behind = {name: courses[name][-1][1] for name in locations}
    told = ", ".join(f"{name} {value:+.0f} mV" for name, value in behind.items())
    state = "have left their places in the pack" if holds else "are back in their places in the pack"
    traces = tuple(_trace(name, courses[name]) for name in locations)
    observed_at = _EPOCH + timedelta(microseconds=at)
    begin = min(courses[name][0][0] for name in locations)
    return Finding(
        vehicle_id=vehicle_id,
        component=FailureMode.WEAK_CELL_GROUP.component,
        failure_mode=FailureMode.WEAK_CELL_GROUP,
        detector=detector,
        score=min(behind.values()) / limit,
        severity=Severity.WARNING,
        confidence=CONFIDENCE,
        observed_at=observed_at,
        window_start=_EPOCH + timedelta(microseconds=begin),
        window_end=observed_at + _MICROSECOND,
        evidence=Evidence(
            summary=f"{len(locations)} cell groups {state} within days: {told}; limit {limit:+.0f} mV.",
            clears_when=_CLEARS,
            traces=traces,
            threshold=limit,
            threshold_label="10 mV, or what chance explains",
        ),
        locations=locations,
        cleared=not holds,
    )


def _trace(name: str, course: Course) -> Trace:
    times = np.array([at for at, _ in course], np.int64).view("datetime64[us]")
    return Trace(name, "mV", times, np.array([value for _, value in course]))
