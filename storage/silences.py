"""Entries that keep findings quiet, and their ends: nothing of them is ever changed or taken away.

SilenceOverError   the entry has ended: there is nothing left to lift
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from features.stays import Stay
from storage import findings, rows, vehicles
from tickets.alert import Alert
from tickets.silence import Lift, Silence, SilenceKind, over_alert
from vehicle.failure import Component
from vehicle.vehicle import VehicleRecord

Version = tuple[int, int]
"""Changes whenever an entry is made or lifted."""


class SilenceOverError(Exception):
    """There is nothing left to lift."""


def add(connection: psycopg.Connection[Any], entry: Silence) -> Silence:
    """Store an entry, and return it with its number; the one it carries means nothing."""
    values = {name: value for name, value in rows.column_values(entry).items() if name not in {"silence_id", "lifts"}}
    row = connection.execute(
        "INSERT INTO silences (kind, vehicle_id, model, detector, component, starts_at, ends_at, author, reason, "
        "created_at) VALUES (%(kind)s, %(vehicle_id)s, %(model)s, %(detector)s, %(component)s, %(starts_at)s, "
        "%(ends_at)s, %(author)s, %(reason)s, %(created_at)s) RETURNING silence_id",
        values,
    ).fetchone()
    stored = find(connection, row[0]) if row else None
    if stored is None:
        raise LookupError("an entry that was just stored is gone")
    return stored


def lift(connection: psycopg.Connection[Any], ended: Lift) -> None:
    """End an entry that has not ended; a workshop may also report afterwards, and again, what it has seen to.

    Maintenance that it has seen to is the car's last service from the end of its stay on.

    Raises:
        SilenceOverError: if there is nothing to lift; nothing is changed then.
    """
    with connection.transaction():
        connection.execute("SELECT FROM silences WHERE silence_id = %s FOR UPDATE", [ended.silence_id])
        entry = find(connection, ended.silence_id)
        if entry is None:
            raise SilenceOverError(f"there is no entry {ended.silence_id}")
        is_report = entry.kind is SilenceKind.WORKSHOP and ended.seen_to
        if entry.lift is not None and not is_report:
            raise SilenceOverError(f"entry {ended.silence_id} was lifted already, by {entry.lift.author}")
        if ended.at >= entry.ends_at and not is_report:
            raise SilenceOverError(f"entry {ended.silence_id} has ended by itself")
        connection.execute(
            "INSERT INTO silence_lifts (silence_id, at, author, reason, seen_to) "
            "VALUES (%(silence_id)s, %(at)s, %(author)s, %(reason)s, %(seen_to)s)",
            rows.column_values(ended),
        )
        stay = entry.stay
        if is_report and stay is not None and Component.MAINTENANCE in ended.seen_to:
            vehicles.record_service(connection, str(entry.vehicle_id), min(stay.end, ended.at))


def find(connection: psycopg.Connection[Any], silence_id: int) -> Silence | None:
    """The entry with a number, or None."""
    return next(iter(_select(connection, "WHERE silence_id = %s", [silence_id])), None)


def version(connection: psycopg.Connection[Any]) -> Version:
    """Which entries and ends of entries there are."""
    row = connection.execute(
        "SELECT coalesce((SELECT max(silence_id) FROM silences), 0), "
        "coalesce((SELECT max(lift_id) FROM silence_lifts), 0)"
    ).fetchone()
    return (0, 0) if row is None else (row[0], row[1])


def of_vehicle(connection: psycopg.Connection[Any], vehicle: VehicleRecord) -> list[Silence]:
    """All that there ever were for a car, those of its model and of all cars too, in the order of their making."""
    condition: LiteralString = "WHERE coalesce(vehicle_id, %s) = %s AND coalesce(model, %s) = %s ORDER BY silence_id"
    return _select(connection, condition, [vehicle.vehicle_id, vehicle.vehicle_id, vehicle.model, vehicle.model])


def stays(connection: psycopg.Connection[Any], vehicle_id: str) -> list[Stay]:
    """A car's stays in workshops, those planned too, in the order in which they were made known."""
    entries = _select(connection, "WHERE vehicle_id = %s AND kind = 'workshop' ORDER BY silence_id", [vehicle_id])
    return [stay for entry in entries if (stay := entry.stay) is not None]


def list_silences(connection: psycopg.Connection[Any], since: datetime | None = None) -> list[Silence]:
    """Those that end after a time, or all: the last to end first."""
    entries = _select(connection, "ORDER BY ends_at DESC, silence_id DESC", [])
    return [one for one in entries if since is None or one.until > since]


def over_alerts(connection: psycopg.Connection[Any], listed: Iterable[Alert], at: datetime) -> dict[UUID, Silence]:
    """The entries because of which open alerts wait for nobody at a time, by the alerts' ids."""
    entries = _select(connection, "WHERE starts_at <= %s AND ends_at > %s", [at, at])
    quiet: dict[UUID, Silence] = {}
    models: dict[str, str] = {}
    for alert in listed if entries else ():
        if alert.vehicle_id not in models:
            vehicle = vehicles.find(connection, alert.vehicle_id)
            models[alert.vehicle_id] = vehicle.model if vehicle else ""
        detectors = findings.detectors_of(connection, alert)
        entry = over_alert(entries, alert, detectors, models[alert.vehicle_id], at)
        if entry is not None:
            quiet[alert.alert_id] = entry
    return quiet


def _select(connection: psycopg.Connection[Any], condition: LiteralString, parameters: Sequence[Any]) -> list[Silence]:
    with connection.cursor(row_factory=dict_row) as cursor:
        query = f"SELECT * FROM silences {condition}"  # noqa: S608 - our own text
        entries = cursor.execute(query, parameters).fetchall()
    lifts = _lifts(connection, [row["silence_id"] for row in entries]) if entries else {}
    return [
        Silence(**{**row, "kind": SilenceKind(row["kind"]), "lifts": tuple(lifts.get(row["silence_id"], ()))})
        for row in entries
    ]


def _lifts(connection: psycopg.Connection[Any], numbers: Sequence[int]) -> dict[int, list[Lift]]:
    with connection.cursor(row_factory=rows.record_row(Lift)) as cursor:
        found = cursor.execute(
            "SELECT silence_id, at, author, reason, seen_to FROM silence_lifts WHERE silence_id = ANY(%s) "
            "ORDER BY lift_id",
            [list(numbers)],
        ).fetchall()
    lifts: dict[int, list[Lift]] = {}
    for lift in found:
        lifts.setdefault(lift.silence_id, []).append(lift)
    return lifts
