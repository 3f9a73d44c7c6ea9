"""Visits and their appointments; one planned or booked visit per vehicle."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import psycopg

from storage import rows
from tickets.visit import Appointment, Visit, VisitState


def save(connection: psycopg.Connection[Any], visit: Visit) -> None:
    """Store a visit, or what has changed of it.

    Raises:
        psycopg.errors.UniqueViolation: if another visit of the vehicle is planned or booked.
    """
    rows.save(connection, "visits", "visit_id", visit, keep={"created_at"})


def lock_vehicle(connection: psycopg.Connection[Any], vehicle_id: str) -> None:
    """Keep all others who ask from planning or booking this vehicle's visits until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('visits of ' || %s, 0))", [vehicle_id])


def find(connection: psycopg.Connection[Any], visit_id: UUID) -> Visit | None:
    """The visit, or None."""
    with connection.cursor(row_factory=rows.record_row(Visit)) as cursor:
        return cursor.execute("SELECT * FROM visits WHERE visit_id = %s", [visit_id]).fetchone()


def find_open(connection: psycopg.Connection[Any], vehicle_id: str) -> Visit | None:
    """The planned or booked visit of a vehicle, locked until the transaction ends, or None."""
    with connection.cursor(row_factory=rows.record_row(Visit)) as cursor:
        return cursor.execute(
            "SELECT * FROM visits WHERE vehicle_id = %s AND state IN ('planned', 'booked') FOR UPDATE",
            [vehicle_id],
        ).fetchone()


def list_visits(connection: psycopg.Connection[Any], states: Collection[VisitState] = tuple(VisitState)) -> list[Visit]:
    """Visits in these states, the first due first."""
    with connection.cursor(row_factory=rows.record_row(Visit)) as cursor:
        return cursor.execute(
            "SELECT * FROM visits WHERE state = ANY(%s) ORDER BY due_at, visit_id", [list(states)]
        ).fetchall()


def save_appointment(connection: psycopg.Connection[Any], appointment: Appointment) -> None:
    """Store what the booking system gave for a visit, in place of what it gave before."""
    rows.save(connection, "appointments", "visit_id", appointment)


def find_appointment(connection: psycopg.Connection[Any], visit_id: UUID) -> Appointment | None:
    """The appointment of a visit, or None."""
    with connection.cursor(row_factory=rows.record_row(Appointment)) as cursor:
        return cursor.execute("SELECT * FROM appointments WHERE visit_id = %s", [visit_id]).fetchone()


def list_appointments(connection: psycopg.Connection[Any]) -> list[Appointment]:
    """All appointments, the earliest first."""
    with connection.cursor(row_factory=rows.record_row(Appointment)) as cursor:
        return cursor.execute("SELECT * FROM appointments ORDER BY starts_at, visit_id").fetchall()
