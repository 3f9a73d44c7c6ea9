"""Free slots, computed from opening hours and what is taken: pure functions.

Time is divided into ticks of a quarter of an hour; a resource is taken or free for a whole tick. A slot is
one claim or more: a job longer than a working day claims its bay on the days that follow, a tow claims a
truck and then a bay.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from desk.places import TICK, Place, Resource

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_JOB = timedelta(hours=40)
"""The most working time in one appointment."""
LONGEST_STAY_DAYS = 14
"""Days within which a job must be finished once it has begun; every place works `LONGEST_JOB` in them."""

Taken = AbstractSet[tuple[str, int]]
"""(resource id, tick) pairs that are claimed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One resource for one half-open interval on tick boundaries."""

    resource_id: str
    start_at: datetime
    end_at: datetime

    @property
    def ticks(self) -> range:
        """The ticks it covers, counted from the epoch."""
        return range(tick_at(self.start_at), tick_at(self.end_at))


@dataclass(frozen=True, slots=True)
class Slot:
    """A start that can be booked, with everything it claims."""

    place_id: str
    claims: tuple[Claim, ...]

    @property
    def start_at(self) -> datetime:
        """When the first claim begins."""
        return self.claims[0].start_at

    @property
    def end_at(self) -> datetime:
        """When the last claim ends."""
        return self.claims[-1].end_at


def tick_at(at: datetime) -> int:
    """The tick that holds an instant."""
    return (at - EPOCH) // TICK


def round_up(at: datetime) -> datetime:
    """The first tick boundary at or after an instant."""
    return at + (EPOCH - at) % TICK


def open_slots(
    places: Mapping[str, Place],
    served: Iterable[Place],
    duration: timedelta,
    window: tuple[datetime, datetime],
    *,
    made_at: datetime,
    taken: Taken,
) -> Iterator[Slot]:
    """Slots that start within a window, earliest first, at most one per place and start.

    Args:
        places: every place there is.
        served: those where the slots may begin.
        duration: the working time.
        window: half-open interval of starts.
        made_at: when the appointment is made; each place's notice counts from here.
        taken: what is claimed within the window and after it.
    """
    work = round_up_duration(duration)
    slots = (
        _slots_at(places, place, work, (max(window[0], made_at + place.notice), window[1]), taken) for place in served
    )
    return heapq.merge(*slots, key=lambda slot: slot.start_at)


def round_up_duration(duration: timedelta) -> timedelta:
    """A duration as a whole number of ticks, at least one."""
    return max(-(-duration // TICK), 1) * TICK


def _slots_at(
    places: Mapping[str, Place],
    place: Place,
    work: timedelta,
    window: tuple[datetime, datetime],
    taken: Taken,
) -> Iterator[Slot]:
    if place.takes_to:
        yield from _tows(place, places[place.takes_to], work, window, taken)
        return
    for start_at in _starts(place, window):
        if claims := _first_free(place, start_at, work, taken):
            yield Slot(place.id, claims)


def _tows(
    place: Place, workshop: Place, work: timedelta, window: tuple[datetime, datetime], taken: Taken
) -> Iterator[Slot]:
    """Each free truck with the first bay that is free after its way."""
    bays_within = (window[0], window[1] + timedelta(days=LONGEST_STAY_DAYS))
    bays = (_first_free(workshop, start_at, work, taken) for start_at in _starts(workshop, bays_within))
    free_bays = filter(None, bays)
    bay = next(free_bays, None)
    for start_at in _starts(place, window):
        while bay and bay[0].start_at < start_at + place.takes:
            bay = next(free_bays, None)
        if bay is None:
            return
        if truck := _first_free(place, start_at, place.takes, taken):
            yield Slot(place.id, (*truck, *bay))


def _starts(place: Place, window: tuple[datetime, datetime]) -> Iterator[datetime]:
    # A local day may begin up to a day before or after the UTC day of the same date.
    for number in range(-1, (window[1] - window[0]).days + 3):
        opening = place.opening(window[0].date() + timedelta(days=number))
        if opening is None:
            continue
        start_at = round_up(max(opening[0], window[0]))
        while start_at < min(opening[1], window[1]):
            yield start_at
            start_at += TICK


def _first_free(place: Place, start_at: datetime, work: timedelta, taken: Taken) -> tuple[Claim, ...] | None:
    at_start = [resource for resource in place.resources if (resource.id, tick_at(start_at)) not in taken]
    spans = _spans(place, start_at, work) if at_start else ()
    for resource in at_start:
        claims = tuple(Claim(resource.id, *span) for span in spans)
        if claims and all(_is_free(claim, taken) for claim in claims):
            return claims
    return None


def _is_free(claim: Claim, taken: Taken) -> bool:
    return all((claim.resource_id, tick) not in taken for tick in claim.ticks)


def _spans(place: Place, start_at: datetime, work: timedelta) -> Sequence[tuple[datetime, datetime]]:
    """Opening times from `start_at` until the work is done; none if that splits what fits into a day."""
    spans: list[tuple[datetime, datetime]] = []
    fits_in_a_day = False
    left = work
    for number in range(-1, LONGEST_STAY_DAYS + 1):
        opening = place.opening(start_at.date() + timedelta(days=number))
        if opening is None or opening[1] <= start_at:
            continue
        fits_in_a_day = fits_in_a_day or opening[1] - opening[0] >= work
        begins = max(opening[0], start_at)
        ends = min(opening[1], begins + left)
        spans.append((begins, ends))
        left -= ends - begins
        if not left:
            return [] if len(spans) > 1 and fits_in_a_day and not _adjoining(spans) else spans
    return []


def _adjoining(spans: Sequence[tuple[datetime, datetime]]) -> bool:
    return all(before[1] == after[0] for before, after in pairwise(spans))


def resources_of(places: Mapping[str, Place]) -> dict[str, tuple[Place, Resource]]:
    """Every resource with its place, by resource id."""
    return {resource.id: (place, resource) for place in places.values() for resource in place.resources}
