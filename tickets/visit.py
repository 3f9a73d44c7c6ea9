"""The visit: what the booking system books, all open tickets of a car in one appointment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tickets.ticket import Channel


class VisitState(StrEnum):
    """Where a visit stands; a car has one visit in the first two states."""

    PLANNED = "planned"
    """Waits for its appointment."""
    BOOKED = "booked"
    IN_PROGRESS = "in_progress"
    """Its appointment has begun: what is found from now on needs another visit."""
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of one car, for all its open tickets."""

    visit_id: UUID
    vehicle_id: str
    state: VisitState
    channel: Channel
    """The greatest effort any of its tickets asks for."""
    due_at: datetime
    """The earliest due date of its tickets."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Appointment:
    """What the booking system gave back for a visit."""

    visit_id: UUID
    external_ref: str
    """The booking system's own name for it."""
    place: str
    technician: str
    starts_at: datetime
    ends_at: datetime
    booked_at: datetime
    revision: int = 1
    """How often it was booked: 1, and one more per change."""


class BookingKind(StrEnum):
    """What a message to the booking system asks for."""

    CREATE = "create"
    UPDATE = "update"
    CANCEL = "cancel"


class BookingState(StrEnum):
    """Where a message to the booking system stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Refused, or out of attempts: waits for a person."""


@dataclass(frozen=True, slots=True)
class BookingMessage:
    """One message of the outbox to the booking system; its body is sent verbatim at every attempt."""

    message_id: UUID
    """Also the idempotency key, the same for all attempts."""
    visit_id: UUID
    kind: BookingKind
    body: bytes
    created_at: datetime
    next_attempt_at: datetime
    state: BookingState = BookingState.PENDING
    attempts: int = 0
    leased_until: datetime | None = None
    """While a dispatcher works on it; after that time another may."""
    last_status: int | None = None
    """HTTP status of the latest answer."""
    last_error: str = ""
