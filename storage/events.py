"""What happened in the vehicles: trouble codes, drives, charges."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from vehicle.batch import Event, EventBatch, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus


def record(connection: psycopg.Connection[Any], batches: Iterable[EventBatch]) -> int:
    """Store the events of batches that are new to the ledger, and return how many that were."""
    rows = [
        (
            batch.vehicle_id,
            batch.boot,
            batch.seq,
            i,
            event.at,
            event.kind,
            event.trouble_code and event.trouble_code.code,
            event.trouble_code and int(event.trouble_code.status),
            Jsonb(event.details),
            event.time_received or None,
        )
        for batch in batches
        for i, event in enumerate(batch.events)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO events (vehicle_id, boot, seq, i, at, kind, code, status, details, time_received) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )
    return len(rows)


def read(connection: psycopg.Connection[Any], vehicle_id: str, start: datetime, end: datetime) -> list[Event]:
    """The events of one vehicle in [start, end), in their order."""
    rows = connection.execute(
        "SELECT at, kind, code, status, details, coalesce(time_received, false) FROM events "
        "WHERE vehicle_id = %s AND at >= %s AND at < %s ORDER BY at, boot, seq, i",
        [vehicle_id, start, end],
    )
    return [
        Event(at, EventKind(kind), code and DiagnosticTroubleCode(code, DtcStatus(status)), details, time_received)
        for at, kind, code, status, details, time_received in rows
    ]
