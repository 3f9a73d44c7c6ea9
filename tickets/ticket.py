"""The service ticket: the order that one problem be repaired."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from vehicle.finding import Severity


class Channel(StrEnum):
    """Who repairs; ordered from the least to the greatest effort for the owner."""

    REMOTE = "remote"
    """A message to the owner, a setting or an update; nobody comes."""
    MOBILE = "mobile"
    """A technician drives to the car."""
    SERVICE_CENTRE = "service_centre"
    """The owner drives to the workshop."""
    TOW = "tow"
    """A truck takes the car to the workshop."""


class TicketState(StrEnum):
    """Where a ticket stands; a car has one ticket per component and failure mode in the open states."""

    OPEN = "open"
    """In a planned visit."""
    BOOKED = "booked"
    """Its visit has an appointment."""
    IN_PROGRESS = "in_progress"
    """Its appointment has begun."""
    DONE = "done"
    """The workshop has reported."""
    CANCELLED = "cancelled"
    """A person has withdrawn it."""


OPEN_STATES = (TicketState.OPEN, TicketState.BOOKED, TicketState.IN_PROGRESS)
"""The states in which a ticket still asks for a repair."""


@dataclass(frozen=True, slots=True)
class ServiceTicket:
    """One order: what to do, who does it, with which parts, by when."""

    ticket_id: UUID
    alert_id: UUID
    visit_id: UUID
    vehicle_id: str
    component: str
    failure_mode: str
    severity: Severity
    title: str
    action: str
    channel: Channel
    parts: tuple[str, ...]
    due_at: datetime
    """By when the repair should be made."""
    state: TicketState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TicketTransition:
    """One step of a ticket, kept for ever."""

    ticket_id: UUID
    at: datetime
    before: TicketState | None
    """None: the ticket was made."""
    after: TicketState
    reason: str
