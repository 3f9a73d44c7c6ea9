"""What happened in the vehicles: trouble codes, drives, charges, other software."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from storage import software
from vehicle.batch import Event, EventBatch, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.software import SoftwareVersion, version_in


def record(connection: psycopg.Connection[Any], batches: Collection[EventBatch], received_at: datetime) -> int:
    """Store the events of batches that are new to the ledger, and return how many that were.

    What cars tell of their software enters their timelines, too.
    """
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
    software.take_over(connection, _told_of_software(batches), received_at)
    return len(rows)


def _told_of_software(batches: Iterable[EventBatch]) -> list[tuple[str, SoftwareVersion]]:
    return [
        (batch.vehicle_id, SoftwareVersion(event.at, version))
        for batch in batches
        for event in batch.events
        if event.kind is EventKind.SOFTWARE and (version := version_in(event.details)) is not None
    ]


def read(
    connection: psycopg.Connection[Any],
    vehicle_id: str,
    start: datetime,
    end: datetime,
    *,
    received_by: datetime | None = None,
) -> list[Event]:
    """The events of one vehicle in [start, end), in their order; with `received_by` only what had arrived by then."""
    return [event for _, event in _select(connection, [vehicle_id], (start, end), received_by)]


def read_codes(
    connection: psycopg.Connection[Any], vehicles: Sequence[str], start: datetime, end: datetime
) -> dict[str, list[Event]]:
    """What some vehicles told of trouble codes in [start, end), by vehicle, in their order."""
    told: dict[str, list[Event]] = {vehicle_id: [] for vehicle_id in vehicles}
    for vehicle_id, event in _select(connection, vehicles, (start, end)):
        if event.trouble_code is not None:
            told[vehicle_id].append(event)
    return told


def _select(
    connection: psycopg.Connection[Any],
    vehicles: Sequence[str],
    span: tuple[datetime, datetime],
    received_by: datetime | None = None,
) -> list[tuple[str, Event]]:
    rows = connection.execute(
        "SELECT vehicle_id, at, kind, code, status, details, coalesce(time_received, false) FROM events "
        "WHERE vehicle_id = ANY(%(vehicles)s) AND at >= %(start)s AND at < %(end)s "
        "AND (%(by)s::timestamptz IS NULL OR EXISTS (SELECT FROM batch_ledger AS entered "
        "  WHERE (entered.vehicle_id, entered.boot, entered.seq) = (events.vehicle_id, events.boot, events.seq) "
        "  AND received_at <= %(by)s)) "
        "ORDER BY at, boot, seq, i",
        {"vehicles": list(vehicles), "start": span[0], "end": span[1], "by": received_by},
    )
    return [_event(*row) for row in rows]


def read_since(connection: psycopg.Connection[Any], since: Mapping[str, datetime]) -> dict[str, list[Event]]:
    """The events of several vehicles, each from its own time on, in their order; vehicles without any are left out."""
    rows = connection.execute(
        "SELECT vehicle_id, at, kind, code, status, details, coalesce(time_received, false) "
        "FROM unnest(%s::text[], %s::timestamptz[]) AS asked (vehicle_id, since) JOIN events USING (vehicle_id) "
        "WHERE at >= since ORDER BY at, boot, seq, i",
        [list(since), list(since.values())],
    )
    found: dict[str, list[Event]] = {}
    for row in rows:
        vehicle_id, event = _event(*row)
        found.setdefault(vehicle_id, []).append(event)
    return found


def _event(vehicle_id: str, *columns: Any) -> tuple[str, Event]:
    at, kind, code, status, details, time_received = columns
    trouble_code = None if code is None else DiagnosticTroubleCode(code, DtcStatus(status))
    return vehicle_id, Event(at, EventKind(kind), trouble_code, details, time_received)
