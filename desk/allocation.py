"""Which slot an appointment gets: pure functions of the request, the clock and what is taken."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from desk.messages import BookingRequest
from desk.places import TICK, Channel, Place
from desk.slots import Slot, Taken, open_slots
from desk.store import Booking

HORIZON = timedelta(days=60)
"""How far ahead appointments are made."""


def served_by(places: Mapping[str, Place], channel: Channel, place_id: str | None = None) -> list[Place]:
    """The places of a channel, or the one asked for if it is of that channel."""
    return [place for place in places.values() if place.channel is channel and place_id in {None, place.id}]


def slot_for(
    places: Mapping[str, Place], request: BookingRequest, now: datetime, taken: Taken, current: Booking | None
) -> Slot | None:
    """The slot at the start asked for; else the present one if it still serves; else the earliest.

    Args:
        places: every place there is.
        request: what is wanted.
        now: the desk's present.
        taken: what is claimed from now on, without the present appointment's own claims.
        current: the present appointment, when it is being changed.
    """
    served = served_by(places, request.channel, request.place_id)
    if request.start_at:
        window = (request.start_at, min(request.start_at + TICK, now + HORIZON))
        first = next(open_slots(places, served, request.duration, window, made_at=now, taken=taken), None)
        return first if first and first.start_at == request.start_at else None
    kept = _kept(places, served, request, taken, current) if current else None
    if kept and kept.start_at <= request.due_at:
        return kept
    earliest = next(open_slots(places, served, request.duration, (now, now + HORIZON), made_at=now, taken=taken), None)
    if kept and (earliest is None or earliest.start_at >= kept.start_at):
        return kept
    return earliest


def _kept(
    places: Mapping[str, Place],
    served: list[Place],
    request: BookingRequest,
    taken: Taken,
    current: Booking,
) -> Slot | None:
    """The present start at the present place, with as much time as is now needed."""
    same = [place for place in served if place.id == current.place_id]
    window = (current.start_at, current.start_at + TICK)
    # The notice was kept when the appointment was made; changing its content needs no new one.
    return next(open_slots(places, same, request.duration, window, made_at=current.created_at, taken=taken), None)
