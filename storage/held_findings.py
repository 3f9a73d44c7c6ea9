"""Findings that no alert has told of because something keeps them quiet: why, and what became of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from storage import findings
from storage.rows import transposed
from tickets.holding import Outcome, Settlement
from tickets.silence import Silence
from vehicle.finding import Finding


@dataclass(frozen=True, slots=True)
class HeldFinding:
    """One of them."""

    finding_id: int
    finding: Finding
    silence_id: int
    outcome: Outcome | None
    """None: it is still held back."""
    settled_at: datetime | None


def hold(connection: psycopg.Connection[Any], held: Mapping[int, Silence]) -> None:
    """Note that findings are held back, by their numbers, and by which entries."""
    connection.execute(
        "INSERT INTO held_findings (finding_id, silence_id) SELECT * FROM unnest(%s::bigint[], %s::bigint[])",
        transposed([(number, entry.silence_id) for number, entry in held.items()], 2),
    )


def settle(connection: psycopg.Connection[Any], settled: Collection[Settlement], now: datetime) -> set[int]:
    """Note what became of findings that were held back, and return the numbers of those that were until now."""
    rows = connection.execute(
        "UPDATE held_findings SET outcome = done.outcome, settled_at = %s "
        "FROM unnest(%s::bigint[], %s::text[]) AS done (finding_id, outcome) "
        "WHERE held_findings.finding_id = done.finding_id AND held_findings.outcome IS NULL "
        "RETURNING held_findings.finding_id",
        [now, *transposed([(one.finding_id, str(one.outcome)) for one in settled], 2)],
    )
    return {number for (number,) in rows}


def waiting(connection: psycopg.Connection[Any], vehicle_id: str) -> dict[int, Finding]:
    """The findings about a car that are held back, by their numbers."""
    return {one.finding_id: one.finding for one in list_held(connection, vehicle_id, settled=False)}


def waiting_vehicles(connection: psycopg.Connection[Any]) -> set[str]:
    """The cars that have such findings."""
    rows = connection.execute(
        "SELECT DISTINCT vehicle_id FROM held_findings JOIN findings USING (finding_id) WHERE outcome IS NULL"
    )
    return {vehicle_id for (vehicle_id,) in rows}


def list_held(
    connection: psycopg.Connection[Any],
    vehicle_id: str | None = None,
    *,
    silence_id: int | None = None,
    settled: bool = True,
) -> list[HeldFinding]:
    """What was ever held back, or what is now, of one car or of all, by one entry or any: the latest observed first."""
    rows = connection.execute(
        "SELECT finding_id, silence_id, outcome, settled_at FROM held_findings JOIN findings USING (finding_id) "
        "WHERE vehicle_id = coalesce(%s, vehicle_id) AND silence_id = coalesce(%s, silence_id) "
        "AND (%s OR outcome IS NULL)",
        [vehicle_id, silence_id, settled],
    ).fetchall()
    held = {row[0]: row[1:] for row in rows}
    return [
        HeldFinding(one.finding_id, one.finding, entry, None if outcome is None else Outcome(outcome), settled_at)
        for one in reversed(findings.of_numbers(connection, [*held]))
        for entry, outcome, settled_at in [held[one.finding_id]]
    ]


def counts(connection: psycopg.Connection[Any]) -> dict[int, int]:
    """How many findings each entry holds back now, by its number."""
    rows = connection.execute(
        "SELECT silence_id, count(*) FROM held_findings WHERE outcome IS NULL GROUP BY silence_id"
    )
    return dict(rows.fetchall())
