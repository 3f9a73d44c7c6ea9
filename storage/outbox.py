"""Messages to the booking system: each is sent until it is answered, those of one visit in their order."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from storage import rows
from tickets.visit import BookingMessage


def add(connection: psycopg.Connection[Any], message: BookingMessage) -> None:
    """Put a message at the end of its visit's queue; belongs into the transaction that makes it due."""
    rows.insert(connection, "booking_outbox", message)


def lease_due(
    connection: psycopg.Connection[Any], now: datetime, lease: timedelta, limit: int = 10
) -> list[BookingMessage]:
    """Take due messages, which nobody else can before `now + lease`; counts one attempt each.

    A message waits while an earlier one of its visit is pending, and while the visit's creation is dead; all wait
    while the booking system is left alone.
    """
    with connection.cursor(row_factory=rows.record_row(BookingMessage)) as cursor:
        return cursor.execute(
            "UPDATE booking_outbox SET leased_until = %(until)s, attempts = attempts + 1 WHERE message_id = ANY(ARRAY("
            "  SELECT message_id FROM booking_outbox AS due WHERE state = 'pending'"
            "  AND next_attempt_at <= %(now)s AND coalesce(leased_until, '-infinity') <= %(now)s"
            "  AND NOT EXISTS (SELECT FROM booking_rest WHERE until > %(now)s)"
            "  AND NOT EXISTS (SELECT FROM booking_outbox AS earlier WHERE earlier.visit_id = due.visit_id"
            "    AND earlier.position < due.position"
            "    AND (earlier.state = 'pending' OR (earlier.state = 'dead' AND earlier.kind = 'create')))"
            "  ORDER BY next_attempt_at, position LIMIT %(limit)s FOR UPDATE SKIP LOCKED"
            ")) RETURNING *",
            {"now": now, "until": now + lease, "limit": limit},
        ).fetchall()


def mark_delivered(connection: psycopg.Connection[Any], message_id: UUID, status: int) -> None:
    """The booking system has taken the message."""
    connection.execute(
        "UPDATE booking_outbox SET state = 'delivered', leased_until = NULL, last_status = %s, "
        "last_error = '' WHERE message_id = %s",
        [status, message_id],
    )


def mark_retry(
    connection: psycopg.Connection[Any],
    message_id: UUID,
    next_attempt_at: datetime,
    status: int | None,
    error: str,
) -> None:
    """The attempt failed in a way that another may not; `status` None: there was no answer."""
    connection.execute(
        "UPDATE booking_outbox SET next_attempt_at = %s, leased_until = NULL, last_status = %s, "
        "last_error = %s WHERE message_id = %s AND state = 'pending'",
        [next_attempt_at, status, error, message_id],
    )


def give_back(connection: psycopg.Connection[Any], message_id: UUID, status: int, error: str) -> None:
    """End an attempt that does not count, because it was no fault of the message."""
    connection.execute(
        "UPDATE booking_outbox SET attempts = attempts - 1, leased_until = NULL, last_status = %s, last_error = %s "
        "WHERE message_id = %s AND state = 'pending'",
        [status, error, message_id],
    )


def hold(connection: psycopg.Connection[Any], until: datetime) -> None:
    """Leave the booking system alone until a time: also what is put into a queue meanwhile is not sent before."""
    connection.execute(
        "INSERT INTO booking_rest AS rest (until) VALUES (%s) "
        "ON CONFLICT (only_one) DO UPDATE SET until = greatest(rest.until, excluded.until)",
        [until],
    )


def mark_dead(connection: psycopg.Connection[Any], message_id: UUID, status: int | None, error: str) -> None:
    """The message was refused, or is out of attempts: a person decides."""
    connection.execute(
        "UPDATE booking_outbox SET state = 'dead', leased_until = NULL, last_status = %s, last_error = %s "
        "WHERE message_id = %s AND state = 'pending'",
        [status, error, message_id],
    )


def revive(connection: psycopg.Connection[Any], message_id: UUID, now: datetime) -> None:
    """Send a dead message again under its old id, from `now` on."""
    connection.execute(
        "UPDATE booking_outbox SET state = 'pending', next_attempt_at = %s WHERE message_id = %s AND state = 'dead'",
        [now, message_id],
    )


def of_visit(connection: psycopg.Connection[Any], visit_id: UUID) -> list[BookingMessage]:
    """All messages of a visit, in their order."""
    with connection.cursor(row_factory=rows.record_row(BookingMessage)) as cursor:
        return cursor.execute(
            "SELECT * FROM booking_outbox WHERE visit_id = %s ORDER BY position", [visit_id]
        ).fetchall()


def list_dead(connection: psycopg.Connection[Any]) -> list[BookingMessage]:
    """The messages that wait for a person, the oldest first."""
    with connection.cursor(row_factory=rows.record_row(BookingMessage)) as cursor:
        return cursor.execute("SELECT * FROM booking_outbox WHERE state = 'dead' ORDER BY position").fetchall()
