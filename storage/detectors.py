"""How far each detector has judged each vehicle, and who judges now."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg

from storage.rows import column_values, record_row

DIAGNOSIS: Final = "diagnosis"
"""The place that all detectors have together, as they read the same days; in its state `states` are theirs by name."""


_WATCH: Final = 71_803
"""A number of our own: whoever holds this advisory lock watches."""


@dataclass(frozen=True, slots=True)
class DetectorState:
    """One detector's place in one vehicle's time."""

    detector: str
    vehicle_id: str
    evaluated_until: datetime
    """Event time, exclusive."""
    state: dict[str, Any] = field(default_factory=dict)
    """What the detector carries into the next window, JSON values by name."""


def claim(connection: psycopg.Connection[Any], detector: str) -> bool:
    """Be the only one who runs this detector until the transaction ends; False: another one is at it."""
    row = connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"detector {detector}"]
    ).fetchone()
    return row == (True,)


def states(connection: psycopg.Connection[Any], detector: str) -> dict[str, DetectorState]:
    """Where a detector stands, per vehicle it has judged."""
    with connection.cursor(row_factory=record_row(DetectorState)) as cursor:
        rows = cursor.execute("SELECT * FROM detector_state WHERE detector = %s", [detector])
        return {row.vehicle_id: row for row in rows}


def find(connection: psycopg.Connection[Any], detector: str, vehicle_id: str) -> DetectorState | None:
    """Where a detector stands with one vehicle; None: it has not judged it yet."""
    with connection.cursor(row_factory=record_row(DetectorState)) as cursor:
        return cursor.execute(
            "SELECT * FROM detector_state WHERE detector = %s AND vehicle_id = %s", [detector, vehicle_id]
        ).fetchone()


def save(connection: psycopg.Connection[Any], state: DetectorState) -> None:
    """Move a detector's place; belongs into the transaction that stores what it found."""
    connection.execute(
        "INSERT INTO detector_state (detector, vehicle_id, evaluated_until, state) "
        "VALUES (%(detector)s, %(vehicle_id)s, %(evaluated_until)s, %(state)s) "
        "ON CONFLICT (detector, vehicle_id) "
        "DO UPDATE SET evaluated_until = excluded.evaluated_until, state = excluded.state",
        column_values(state),
    )


def versions(connection: psycopg.Connection[Any], detector: str, vehicles: Collection[str]) -> dict[str, str]:
    """Of each of the vehicles that the detector has judged what changes whenever its place is stored."""
    rows = connection.execute(
        "SELECT vehicle_id, xmin::text FROM detector_state WHERE detector = %s AND vehicle_id = ANY(%s)",
        [detector, list(vehicles)],
    )
    return dict(rows.fetchall())


def hold_watch(connection: psycopg.Connection[Any]) -> str | None:
    """Be the only one who watches the fleet until the connection ends; else who does."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_WATCH]).fetchone()
    if row == (True,):
        return None
    held = connection.execute(
        "SELECT pid, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND objsubid = 1 AND granted",
        [_WATCH],
    ).fetchone()
    return (
        "nobody any more" if held is None else f"the database's process {held[0]}, since {held[1]:%Y-%m-%d %H:%M} UTC"
    )
