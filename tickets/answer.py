"""What came of one attempt to push a visit: accepted, refused, try again, or the booking system is shut to us."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec


class BookedLine(msgspec.Struct, frozen=True):
    """A ticket as the booking system lists it."""

    id: str


class BookedAppointment(msgspec.Struct, frozen=True):
    """An appointment as the booking system tells of it; what else it tells is not ours to know."""

    id: str
    external_ref: str
    revision: int
    status: Literal["booked", "cancelled"]
    place: str
    resources: tuple[str, ...]
    start_at: datetime
    end_at: datetime
    tickets: tuple[BookedLine, ...]


class RefusalReason(StrEnum):
    """Why a push can never succeed as it is."""

    INVALID = "invalid"
    """The booking system does not understand or does not know what we sent."""
    CONFLICT = "conflict"
    """It holds something else under our reference."""
    BEGUN = "begun"
    """The appointment has begun, so it cannot be changed."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The booking system holds what was pushed."""

    appointment: BookedAppointment
    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never take this; a person decides."""

    reason: RefusalReason
    detail: str
    status: int | None = None
    """None: it was never asked."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It may take this later."""

    detail: str
    status: int | None = None
    """None: there was no answer."""
    after: timedelta | None = None
    """Not before this time has passed, if it said so."""


@dataclass(frozen=True, slots=True)
class Halted:
    """It takes nothing from us until a person has looked: the address or our access is wrong."""

    detail: str
    status: int


PushResult = Accepted | Refused | TryAgain | Halted
