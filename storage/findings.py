"""What the detectors have claimed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from storage.evidence import evidence_from_json, evidence_to_json
from tickets.alert import Alert
from vehicle.finding import Finding, RemainingUsefulLife, Severity


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding and its number."""

    finding_id: int
    finding: Finding


def record(connection: psycopg.Connection[Any], finding: Finding) -> int | None:
    """Store a claim and return its number; None: the same claim is stored already.

    Of a claim that is made again only what was missing then is taken over: some of it may have come.
    """
    rul = finding.remaining_useful_life
    row = connection.execute(
        "INSERT INTO findings (vehicle_id, component, failure_mode, detector, score, severity, confidence, "
        "observed_at, window_start, window_end, evidence, locations, cleared, remaining_useful_life) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING RETURNING finding_id",
        [
            finding.vehicle_id,
            finding.component,
            finding.failure_mode,
            finding.detector,
            finding.score,
            int(finding.severity),
            finding.confidence,
            finding.observed_at,
            finding.window_start,
            finding.window_end,
            Jsonb(evidence_to_json(finding.evidence)),
            list(finding.locations),
            finding.cleared,
            None if rul is None else Jsonb(msgspec.to_builtins(rul)),
        ],
    ).fetchone()
    if row is None:
        _amend(connection, finding)
    return None if row is None else row[0]


def _amend(connection: psycopg.Connection[Any], finding: Finding) -> None:
    connection.execute(
        "UPDATE findings SET evidence = evidence || %(missing)s WHERE vehicle_id = %(vehicle_id)s "
        "AND detector = %(detector)s AND failure_mode = %(failure_mode)s AND observed_at = %(observed_at)s "
        "AND locations = %(locations)s AND cleared = %(cleared)s AND NOT evidence @> %(missing)s",
        {
            "missing": Jsonb({"missing": finding.evidence.missing}),
            "vehicle_id": finding.vehicle_id,
            "detector": finding.detector,
            "failure_mode": finding.failure_mode,
            "observed_at": finding.observed_at,
            "locations": list(finding.locations),
            "cleared": finding.cleared,
        },
    )


def find(connection: psycopg.Connection[Any], finding_id: int) -> Finding | None:
    """The claim with a number, or None."""
    stored = _select(connection, "finding_id = %s", [finding_id])
    return stored[0].finding if stored else None


def of_numbers(connection: psycopg.Connection[Any], numbers: Sequence[int]) -> list[StoredFinding]:
    """The claims with these numbers, in the order of event time."""
    return _select(connection, "finding_id = ANY(%s)", [list(numbers)])


def of_problem(
    connection: psycopg.Connection[Any],
    vehicle_id: str,
    component: str,
    failure_mode: str,
    since: datetime,
) -> list[StoredFinding]:
    """All claims of one problem observed at `since` or later, in the order of event time."""
    return _select(
        connection,
        "vehicle_id = %s AND component = %s AND failure_mode = %s AND observed_at >= %s",
        [vehicle_id, component, failure_mode, since],
    )


def detectors_of(connection: psycopg.Connection[Any], alert: Alert) -> set[str]:
    """The detectors that an alert rests on: those that have not seen its end, or all where all have."""
    rows = connection.execute(
        "SELECT DISTINCT ON (detector) detector, cleared FROM findings WHERE vehicle_id = %s AND component = %s "
        "AND failure_mode = %s AND observed_at >= %s ORDER BY detector, observed_at DESC, finding_id DESC",
        [alert.vehicle_id, alert.component, alert.failure_mode, alert.opened_at],
    ).fetchall()
    holding = {detector for detector, cleared in rows if not cleared}
    return holding or {detector for detector, _ in rows}


def of_vehicle(connection: psycopg.Connection[Any], vehicle_id: str) -> list[StoredFinding]:
    """All claims about one vehicle, in the order of event time."""
    return _select(connection, "vehicle_id = %s", [vehicle_id])


def touched(connection: psycopg.Connection[Any], vehicle_id: str, since: datetime) -> list[Finding]:
    """All claims about one vehicle, in the order of event time, if there are any at `since` or later; else none."""
    found = connection.execute(
        "SELECT FROM findings WHERE vehicle_id = %s AND observed_at >= %s LIMIT 1", [vehicle_id, since]
    ).fetchone()
    return [] if found is None else [one.finding for one in of_vehicle(connection, vehicle_id)]


def of_others(connection: psycopg.Connection[Any], vehicle_id: str, detectors: Collection[str]) -> list[Finding]:
    """All claims about one vehicle that none of these detectors has made, in the order of event time."""
    found = _select(connection, "vehicle_id = %s AND detector <> ALL(%s)", [vehicle_id, list(detectors)])
    return [one.finding for one in found]


def _select(connection: psycopg.Connection[Any], condition: str, parameters: Sequence[Any]) -> list[StoredFinding]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"SELECT * FROM findings WHERE {condition} ORDER BY observed_at, finding_id",  # noqa: S608 - constants
            parameters,
        )
        return [StoredFinding(row.pop("finding_id"), _finding(row)) for row in rows]


def _finding(row: dict[str, Any]) -> Finding:
    rul = row.pop("remaining_useful_life")
    return Finding(
        **{
            **row,
            "severity": Severity(row["severity"]),
            "evidence": evidence_from_json(row["evidence"]),
            "locations": tuple(row["locations"]),
            "remaining_useful_life": None if rul is None else RemainingUsefulLife(**rul),
        }
    )
