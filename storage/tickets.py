"""Service tickets and every step they took; one open ticket per vehicle, component and failure mode."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import psycopg

from storage import rows
from tickets.ticket import ServiceTicket, TicketState, TicketTransition


class StaleTicketError(Exception):
    """The ticket is no longer in the state that the step starts from."""


def save(connection: psycopg.Connection[Any], ticket: ServiceTicket) -> None:
    """Store a ticket, or what has changed of it but its state, which `move` changes.

    Raises:
        psycopg.errors.UniqueViolation: if another ticket for the same problem is open.
    """
    rows.save(connection, "tickets", "ticket_id", ticket, keep={"state", "created_at"})


def move(connection: psycopg.Connection[Any], step: TicketTransition) -> None:
    """Take a step and keep it; with `before` None it is the making of the ticket, which is stored already.

    Raises:
        StaleTicketError: if the ticket is not in the state `before`; nothing is changed then.
    """
    if step.before is not None:
        moved = connection.execute(
            "UPDATE tickets SET state = %s WHERE ticket_id = %s AND state = %s",
            [step.after, step.ticket_id, step.before],
        ).rowcount
        if not moved:
            raise StaleTicketError(f"ticket {step.ticket_id} is not {step.before}")
    connection.execute(
        "INSERT INTO ticket_transitions (ticket_id, at, before, after, reason) "
        "VALUES (%(ticket_id)s, %(at)s, %(before)s, %(after)s, %(reason)s)",
        rows.column_values(step),
    )


def transitions(connection: psycopg.Connection[Any], ticket_id: UUID) -> list[TicketTransition]:
    """Every step of a ticket, in the order they were taken."""
    with connection.cursor(row_factory=rows.record_row(TicketTransition)) as cursor:
        return cursor.execute(
            "SELECT * FROM ticket_transitions WHERE ticket_id = %s ORDER BY id", [ticket_id]
        ).fetchall()


def find(connection: psycopg.Connection[Any], ticket_id: UUID) -> ServiceTicket | None:
    """The ticket, or None."""
    with connection.cursor(row_factory=rows.record_row(ServiceTicket)) as cursor:
        return cursor.execute("SELECT * FROM tickets WHERE ticket_id = %s", [ticket_id]).fetchone()


def find_open(
    connection: psycopg.Connection[Any], vehicle_id: str, component: str, failure_mode: str
) -> ServiceTicket | None:
    """The open ticket for a problem, locked until the transaction ends, or None."""
    with connection.cursor(row_factory=rows.record_row(ServiceTicket)) as cursor:
        return cursor.execute(
            "SELECT * FROM tickets WHERE vehicle_id = %s AND component = %s AND failure_mode = %s "
            "AND state IN ('open', 'booked', 'in_progress') FOR UPDATE",
            [vehicle_id, component, failure_mode],
        ).fetchone()


def of_visit(connection: psycopg.Connection[Any], visit_id: UUID) -> list[ServiceTicket]:
    """The tickets of a visit: the worst first."""
    with connection.cursor(row_factory=rows.record_row(ServiceTicket)) as cursor:
        return cursor.execute(
            "SELECT * FROM tickets WHERE visit_id = %s ORDER BY severity DESC, created_at, ticket_id",
            [visit_id],
        ).fetchall()


def list_tickets(
    connection: psycopg.Connection[Any],
    states: Collection[TicketState] = tuple(TicketState),
    vehicle_id: str | None = None,
) -> list[ServiceTicket]:
    """Tickets in these states, of one vehicle or of all: the first due first."""
    with connection.cursor(row_factory=rows.record_row(ServiceTicket)) as cursor:
        return cursor.execute(
            "SELECT * FROM tickets WHERE state = ANY(%s) AND vehicle_id = coalesce(%s, vehicle_id) "
            "ORDER BY due_at, ticket_id",
            [list(states), vehicle_id],
        ).fetchall()
