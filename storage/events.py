"""What happened in the vehicles: trouble codes, drives, charges."""

from collections.abc import Iterable, Mapping, Sequence
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
    return [_event(row) for row in rows]


def read_since(connection: psycopg.Connection[Any], since: Mapping[str, datetime]) -> dict[str, list[Event]]:
    """The events of several vehicles, each from its own time on, in their order; vehicles without any are left out."""
    rows = connection.execute(
        "SELECT vehicle_id, at, kind, code, status, details, coalesce(time_received, false) "
        "FROM unnest(%s::text[], %s::timestamptz[]) AS asked (vehicle_id, since) JOIN events USING (vehicle_id) "
        "WHERE at >= since ORDER BY at, boot, seq, i",
        [list(since), list(since.values())],
    )
    found: dict[str, list[Event]] = {}
    for vehicle_id, *columns in rows:
        found.setdefault(vehicle_id, []).append(_event(columns))
    return found


def _event(row: Sequence[Any]) -> Event:
    at, kind, code, status, details, time_received = row
    trouble_code = None if code is None else DiagnosticTroubleCode(code, DtcStatus(status))
    return Event(at, EventKind(kind), trouble_code, details, time_received)
