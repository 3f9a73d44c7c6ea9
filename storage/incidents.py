"""What somebody should look into, with the time between which it happened by the database's own clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from storage.rows import record_row


class IncidentKind(StrEnum):
    """What happened."""

    LOST_SESSION = "lost_session"
    """The broker had forgotten ingest's session: a possible gap, which the vehicles are asked to fill."""
    POISON = "poison"
    """A message ended the process again and again, and was put in quarantine unread."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One of them."""

    incident_id: int
    kind: IncidentKind
    from_at: datetime
    to_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    """Never a vehicle's id: incidents outlive the vehicles that are forgotten."""


def record(
    connection: psycopg.Connection[Any],
    kind: IncidentKind,
    from_at: datetime | None = None,
    details: Mapping[str, Any] | None = None,
) -> Incident:
    """Note what has just come to an end; without `from_at` it took no time."""
    with connection.cursor(row_factory=record_row(Incident)) as cursor:
        (incident,) = cursor.execute(
            "INSERT INTO incidents (kind, from_at, to_at, details) "
            "VALUES (%s, least(coalesce(%s, now()), now()), now(), %s) RETURNING *",
            [kind, from_at, Jsonb(dict(details or {}))],
        ).fetchall()
    return incident


def list_incidents(connection: psycopg.Connection[Any], at_most: int = 100) -> list[Incident]:
    """The latest first."""
    with connection.cursor(row_factory=record_row(Incident)) as cursor:
        return cursor.execute("SELECT * FROM incidents ORDER BY incident_id DESC LIMIT %s", [at_most]).fetchall()
