"""The states of a service ticket and the moves between them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from tickets.ticket import ServiceTicket, TicketState, TicketTransition

ALLOWED: Final[Mapping[TicketState, frozenset[TicketState]]] = {
    TicketState.OPEN: frozenset({TicketState.BOOKED, TicketState.CANCELLED}),
    # Back to open when the appointment falls through, or had begun without this ticket.
    TicketState.BOOKED: frozenset({TicketState.OPEN, TicketState.IN_PROGRESS, TicketState.CANCELLED}),
    TicketState.IN_PROGRESS: frozenset({TicketState.OPEN, TicketState.DONE, TicketState.CANCELLED}),
    TicketState.DONE: frozenset(),
    TicketState.CANCELLED: frozenset(),
}
"""From each state to the states that may follow; a ticket begins in `OPEN`."""


class ForbiddenMoveError(Exception):
    """A ticket cannot go from its state to the one asked for."""


def made(ticket: ServiceTicket, reason: str) -> TicketTransition:
    """The first step of a ticket's history: that it was made.

    Raises:
        ForbiddenMoveError: if the ticket does not begin in `OPEN`.
    """
    if ticket.state is not TicketState.OPEN:
        raise ForbiddenMoveError(f"a ticket begins as {TicketState.OPEN}, not as {ticket.state}")
    return TicketTransition(ticket.ticket_id, ticket.created_at, None, TicketState.OPEN, reason)


def move(ticket: ServiceTicket, to: TicketState, at: datetime, reason: str) -> tuple[ServiceTicket, TicketTransition]:
    """The ticket in another state, and the step for its history.

    Raises:
        ForbiddenMoveError: if `ALLOWED` does not list the move.
    """
    if to not in ALLOWED[ticket.state]:
        raise ForbiddenMoveError(f"ticket {ticket.ticket_id} cannot go from {ticket.state} to {to}")
    return replace(ticket, state=to), TicketTransition(ticket.ticket_id, at, ticket.state, to, reason)
