"""What the booking system is told of a visit: the body of a booking, and its JSON schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from tickets.catalogue import Catalogue
from tickets.ticket import Channel, ServiceTicket
from tickets.visit import Visit

LONGEST_EVIDENCE: Final = 4000
"""Characters of evidence the booking system takes."""
CHANNEL_NAMES: Final = {
    Channel.REMOTE: "owner_message",
    Channel.MOBILE: "mobile",
    Channel.SERVICE_CENTRE: "service_centre",
    Channel.TOW: "tow",
}
"""Our channels in the booking system's words."""


class BookedPart(msgspec.Struct, frozen=True):
    """A spare part to have ready."""

    name: str
    quantity: int


class BookedTicket(msgspec.Struct, frozen=True):
    """One service ticket, as far as the workshop needs it."""

    id: str
    title: str
    component: str
    failure_mode: str
    locations: tuple[str, ...]
    severity: str
    action: str
    parts: tuple[BookedPart, ...]
    evidence: str
    owner_text: str
    link: str
    """Address of the ticket's page; empty where the pages are not served."""


class BookingPayload(msgspec.Struct, frozen=True):
    """A visit with all its tickets; a greater revision replaces what a lesser one said."""

    external_ref: str
    """Our visit id."""
    revision: Annotated[int, msgspec.Meta(ge=1)]
    vehicle_id: str
    """The pseudonym; the booking system never learns the VIN."""
    channel: str
    duration_min: int
    due_at: datetime
    tickets: Annotated[tuple[BookedTicket, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class TicketInVisit:
    """A ticket and what its alert tells the workshop."""

    ticket: ServiceTicket
    locations: tuple[str, ...]
    evidence: str


def booking_payload(
    visit: Visit,
    contents: Sequence[TicketInVisit],
    catalogue: Catalogue,
    revision: int,
    console_url: str = "",
) -> BookingPayload:
    """The payload that books a visit or amends it."""
    faults = [catalogue[content.ticket.failure_mode] for content in contents]
    return BookingPayload(
        external_ref=str(visit.visit_id),
        revision=revision,
        vehicle_id=visit.vehicle_id,
        channel=CHANNEL_NAMES[visit.channel],
        duration_min=sum(fault.duration_min for fault in faults),
        due_at=visit.due_at,
        tickets=tuple(
            BookedTicket(
                id=str(content.ticket.ticket_id),
                title=content.ticket.title,
                component=content.ticket.component,
                failure_mode=content.ticket.failure_mode,
                locations=content.locations,
                severity=content.ticket.severity.name.lower(),
                action=content.ticket.action,
                parts=tuple(BookedPart(part.name, part.quantity) for part in fault.parts),
                evidence=content.evidence[:LONGEST_EVIDENCE],
                owner_text=fault.owner_text,
                link=f"{console_url}/tickets/{content.ticket.ticket_id}" if console_url else "",
            )
            for content, fault in zip(contents, faults, strict=True)
        ),
    )


def encode(payload: BookingPayload) -> bytes:
    """The body as it is stored and sent: UTF-8 JSON, always the same bytes for the same payload."""
    return msgspec.json.encode(payload)


def decode(body: bytes) -> BookingPayload:
    """What `encode` wrote.

    Raises:
        msgspec.DecodeError: if it did not write this.
    """
    return msgspec.json.decode(body, type=BookingPayload)


def payload_schema() -> dict[str, Any]:
    """The JSON schema of the body."""
    return msgspec.json.schema(BookingPayload)
