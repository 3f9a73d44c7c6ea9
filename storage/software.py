"""Which software vehicles have had, and since when, as they told or it was entered: nothing of it is ever changed."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg

from storage.rows import record_row
from vehicle.software import SoftwareVersion
from vehicle.vehicle import VehicleRecord

TIMELINE: Final[LiteralString] = (
    "(SELECT coalesce(jsonb_agg(jsonb_build_object('since', since, 'version', version) ORDER BY since), '[]') "
    "FROM (SELECT DISTINCT ON (since) since, version FROM vehicle_software "
    "WHERE vehicle_id = vehicles.vehicle_id ORDER BY since, entry_id DESC) AS latest) AS software"
)
"""What a query of `vehicles` selects to have a vehicle's timeline."""


def enter(connection: psycopg.Connection[Any], vehicle_id: str, one: SoftwareVersion, now: datetime) -> None:
    """Note since when a known vehicle has a version."""
    with connection.transaction():
        # One after the other, so that no entry becomes visible after one with a later number.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('vehicle_software', 0))")
        connection.execute(
            "INSERT INTO vehicle_software (vehicle_id, since, version, entered_at) VALUES (%s, %s, %s, %s)",
            [vehicle_id, one.since, one.version, now],
        )


def take_over(
    connection: psycopg.Connection[Any], told: Iterable[tuple[str, SoftwareVersion]], received_at: datetime
) -> None:
    """Enter what vehicles have told, each with its id, where it is news: most tell the same again and again."""
    for vehicle_id, one in sorted(told, key=lambda each: each[1].since):
        row = connection.execute(
            "SELECT (SELECT version FROM vehicle_software WHERE vehicle_id = vehicles.vehicle_id AND since <= %s "
            "ORDER BY since DESC, entry_id DESC LIMIT 1) FROM vehicles WHERE vehicle_id = %s FOR KEY SHARE",
            [one.since, vehicle_id],
        ).fetchone()
        if row is not None and row[0] != one.version:
            enter(connection, vehicle_id, one, received_at)


def latest_entry(connection: psycopg.Connection[Any]) -> int:
    """What changes whenever an entry is made."""
    row = connection.execute("SELECT coalesce(max(entry_id), 0) FROM vehicle_software").fetchone()
    return 0 if row is None else int(row[0])


def changed(connection: psycopg.Connection[Any], vehicles: Collection[VehicleRecord]) -> set[str]:
    """Those of the vehicles of whose software something else is known than their records say."""
    with connection.cursor(row_factory=record_row(VehicleRecord)) as cursor:
        query = f"SELECT vehicle_id, registered_at, {TIMELINE} FROM vehicles WHERE vehicle_id = ANY(%s)"  # noqa: S608 - our own text
        now = {one.vehicle_id: one.software for one in cursor.execute(query, [[one.vehicle_id for one in vehicles]])}
    return {one.vehicle_id for one in vehicles if now.get(one.vehicle_id, one.software) != one.software}


def entries(connection: psycopg.Connection[Any], vehicle_id: str) -> list[tuple[datetime, SoftwareVersion]]:
    """All that was ever entered of a vehicle, each with the time of its entry, in their order."""
    rows = connection.execute(
        "SELECT entered_at, since, version FROM vehicle_software WHERE vehicle_id = %s ORDER BY entry_id", [vehicle_id]
    )
    return [(entered_at, SoftwareVersion(since, version)) for entered_at, since, version in rows]
