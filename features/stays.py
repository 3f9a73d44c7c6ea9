"""When a car was in a workshop: what it tells meanwhile says nothing of how it is, so it is left out.

Doors are open, wheels hang, batteries are disconnected, isolation is measured. Of trouble codes, what stands when the
car leaves counts, as of then: what was set and cleared in between was the workshop's doing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vehicle.batch import Event
from vehicle.moment import instant

EVERYTHING: Final = "all"
"""What a workshop has seen to, if it was whatever there was."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One, half open in event time."""

    number: int
    start: datetime
    end: datetime
    seen_to: tuple[str, ...] = ()
    """Components, or `EVERYTHING`."""


Span = tuple[datetime, datetime]


def spans(stays: Iterable[Stay]) -> list[Span]:
    """The times of the stays, those that overlap or touch as one, in their order."""
    joined: list[Span] = []
    for stay in sorted(stays, key=lambda one: one.start):
        if joined and stay.start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stay.end))
        else:
            joined.append((stay.start, stay.end))
    return joined


def outside(times: NDArray[np.datetime64], stays: Sequence[Stay]) -> NDArray[np.bool_]:
    """Which times lie in no stay, shape (n,)."""
    kept = np.ones(len(times), dtype=bool)
    for start, end in spans(stays):
        kept &= (times < instant(start)) | (times >= instant(end))
    return kept


def earliest_needed(stays: Sequence[Stay], start: datetime, end: datetime) -> datetime:
    """From when on events are needed to tell those of [start, end): a stay that ends there is looked at whole."""
    return min([start, *(began for began, ended in spans(stays) if start <= ended < end)])


def events_outside(events: Iterable[Event], stays: Sequence[Stay], span: Span) -> list[Event]:
    """The events of a span in the order of their times, those of a stay replaced by what stands at its end.

    Args:
        events: in the order of their times, from `earliest_needed` on.
        stays: of the car.
        span: half open; what is earlier is told already, and what stands at a later end is told then.
    """
    left_out = spans(stays)
    kept: list[Event] = []
    standing: dict[tuple[datetime, str], Event] = {}
    for event in events:
        ended = next((end for begun, end in left_out if begun <= event.at < end), None)
        if ended is None:
            kept.append(event)
        elif event.trouble_code is not None:
            standing[ended, event.trouble_code.code] = replace(event, at=ended)
    told = (one for one in (*standing.values(), *kept) if span[0] <= one.at < span[1])
    return sorted(told, key=lambda one: one.at)


def first_change(before: Iterable[Stay], after: Iterable[Stay]) -> datetime | None:
    """The earliest time of which something else was told before than after; None: nothing was."""
    old, new = ({one.number: one for one in stays} for stays in (before, after))
    changed = [number for number in old.keys() | new.keys() if old.get(number) != new.get(number)]
    return min((_first_difference(old.get(number), new.get(number)) for number in changed), default=None)


def _first_difference(before: Stay | None, after: Stay | None) -> datetime:
    if before is None or after is None or before.start != after.start:
        return min(one.start for one in (before, after) if one is not None)
    return min(before.end, after.end)
