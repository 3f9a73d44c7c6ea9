"""What has arrived of each vehicle, read from the batch ledger entry by entry: for those who look back at it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
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


def heard_since_judged(connection: psycopg.Connection[Any], detector: str) -> list[str]:
    """The vehicles that have been in contact since the end of what a detector has judged of them."""
    rows = connection.execute(
        "SELECT vehicle_id FROM vehicles LEFT JOIN ("
        "  SELECT vehicle_id, evaluated_until FROM detector_state WHERE detector = %s) AS place USING (vehicle_id) "
        "WHERE EXISTS (SELECT FROM batch_ledger AS entry WHERE entry.vehicle_id = vehicles.vehicle_id "
        "  AND kind IN ('telemetry', 'event') AND sent_at >= coalesce(evaluated_until, '-infinity'))",
        [detector],
    )
    return [vehicle_id for (vehicle_id,) in rows]


def samples_since_judged(
    connection: psycopg.Connection[Any], detector: str, vehicles: Collection[str], context: timedelta
) -> dict[str, int]:
    """How many samples vehicles have sent of the time that a detector has not judged, and of so long before it."""
    rows = connection.execute(
        "SELECT vehicle_id, sum(rows) FROM batch_ledger LEFT JOIN ("
        "  SELECT vehicle_id, evaluated_until FROM detector_state WHERE detector = %s) AS place USING (vehicle_id) "
        "WHERE vehicle_id = ANY(%s) AND kind = 'telemetry' "
        "AND last_at >= coalesce(evaluated_until - %s, '-infinity') GROUP BY vehicle_id",
        [detector, list(vehicles), context],
    )
    return {vehicle_id: int(samples) for vehicle_id, samples in rows}
