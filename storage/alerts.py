"""The problems that persons review; one open alert per vehicle, component and failure mode."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import psycopg

from storage import rows
from tickets.alert import Alert, AlertStatus


def save(connection: psycopg.Connection[Any], alert: Alert) -> None:
    """Store an alert, or what has changed of it.

    Raises:
        psycopg.errors.UniqueViolation: if another alert of the same problem is open.
    """
    rows.save(connection, "alerts", "alert_id", alert)


def lock_vehicle(connection: psycopg.Connection[Any], vehicle_id: str) -> None:
    """Keep all others who ask from changing this vehicle's alerts by findings until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('alerts of ' || %s, 0))", [vehicle_id])


def find(connection: psycopg.Connection[Any], alert_id: UUID) -> Alert | None:
    """The alert, or None."""
    with connection.cursor(row_factory=rows.record_row(Alert)) as cursor:
        return cursor.execute("SELECT * FROM alerts WHERE alert_id = %s", [alert_id]).fetchone()


def find_open(connection: psycopg.Connection[Any], vehicle_id: str, component: str, failure_mode: str) -> Alert | None:
    """The open alert of a problem, locked until the transaction ends, or None."""
    with connection.cursor(row_factory=rows.record_row(Alert)) as cursor:
        return cursor.execute(
            "SELECT * FROM alerts WHERE vehicle_id = %s AND component = %s AND failure_mode = %s "
            "AND status IN ('open', 'confirmed') FOR UPDATE",
            [vehicle_id, component, failure_mode],
        ).fetchone()


def list_alerts(
    connection: psycopg.Connection[Any],
    statuses: Collection[AlertStatus] = tuple(AlertStatus),
    vehicle_id: str | None = None,
) -> list[Alert]:
    """Alerts of these statuses, of one vehicle or of all: the worst first, then the latest seen."""
    with connection.cursor(row_factory=rows.record_row(Alert)) as cursor:
        return cursor.execute(
            "SELECT * FROM alerts WHERE status = ANY(%s) AND vehicle_id = coalesce(%s, vehicle_id) "
            "ORDER BY severity DESC, last_seen_at DESC, alert_id",
            [list(statuses), vehicle_id],
        ).fetchall()
