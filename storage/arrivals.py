"""What has arrived of each vehicle, read from the batch ledger entry by entry: for those who look back at it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from storage.rows import record_row


@dataclass(frozen=True, slots=True)
class Arrival:
    """One batch that has arrived from a vehicle."""

    received_at: datetime
    sent_at: datetime
    """By the vehicle's own clock."""
    first_at: datetime | None
    """Event time of its first sample or event."""
    holds_samples: bool
    """Not events."""


def sample_spans(connection: psycopg.Connection[Any]) -> dict[str, tuple[datetime, datetime]]:
    """By vehicle the event time of its first sample, and when it sent the latest, by its own clock."""
    rows = connection.execute(
        "SELECT * FROM (SELECT vehicle_id, min(first_at) FILTER (WHERE kind = 'telemetry') AS first_at, max(sent_at) "
        "FROM batch_ledger WHERE kind IN ('telemetry', 'event') GROUP BY vehicle_id) AS seen WHERE first_at IS NOT NULL"
    )
    return {vehicle_id: (first_at, last_contact_at) for vehicle_id, first_at, last_contact_at in rows}


def of_vehicle(connection: psycopg.Connection[Any], vehicle_id: str) -> list[Arrival]:
    """All that has arrived from a vehicle, in the order in which it did."""
    with connection.cursor(row_factory=record_row(Arrival)) as cursor:
        return cursor.execute(
            "SELECT received_at, sent_at, first_at, kind = 'telemetry' AS holds_samples FROM batch_ledger "
            "WHERE vehicle_id = %s AND kind IN ('telemetry', 'event') ORDER BY received_at, ingest_id",
            [vehicle_id],
        ).fetchall()
