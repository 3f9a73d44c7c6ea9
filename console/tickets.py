"""The service tickets: what was ordered, from whom, by when, and where it stands."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from console.failures import NotFoundError
from console.present import Database, Present
from console.rendering import page
from storage import alerts, outbox, tickets, visits
from tickets.ticket import OPEN_STATES

router = APIRouter(prefix="/tickets", include_in_schema=False)


@router.get("")
def list_all(connection: Database, now: Present) -> HTMLResponse:
    """Every ticket: the open ones first, the first due first."""
    listed = sorted(tickets.list_tickets(connection), key=lambda ticket: ticket.state not in OPEN_STATES)
    booked = {appointment.visit_id: appointment for appointment in visits.list_appointments(connection)}
    return page("tickets.html", here="tickets", now=now, tickets=listed, booked=booked, open_states=OPEN_STATES)


@router.get("/{ticket_id}")
def show(connection: Database, now: Present, ticket_id: UUID) -> HTMLResponse:
    """One ticket with its steps, its visit and what the booking system said."""
    ticket = tickets.find(connection, ticket_id)
    if ticket is None:
        raise NotFoundError("There is no such ticket.")
    return page(
        "ticket.html",
        here="tickets",
        now=now,
        ticket=ticket,
        alert=alerts.find(connection, ticket.alert_id),
        steps=tickets.transitions(connection, ticket_id),
        visit=visits.find(connection, ticket.visit_id),
        appointment=visits.find_appointment(connection, ticket.visit_id),
        companions=[t for t in tickets.of_visit(connection, ticket.visit_id) if t.ticket_id != ticket_id],
        messages=outbox.of_visit(connection, ticket.visit_id),
    )
