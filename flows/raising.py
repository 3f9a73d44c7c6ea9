"""From findings to alerts: the one place that decides which findings are told, and which are held back.

A finding is stored in any case. One that an entry keeps quiet is noted as held back; it is told once nothing keeps it
quiet any more, if it still holds then. All of it belongs into the transaction that moves the detectors' place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from storage import alerts, findings, held_findings, silences
from tickets.holding import PATIENCE, Settlement, hold, in_order, settle
from tickets.triage import KNOWN_STATUSES, merge
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord


@dataclass(frozen=True, slots=True)
class Raised:
    """What storing findings did."""

    findings: int = 0
    """New ones."""
    held: int = 0
    """Of these, held back."""
    alerts: int = 0
    """Opened or changed."""


def raise_alerts(
    connection: psycopg.Connection[Any],
    vehicle: VehicleRecord,
    found: Sequence[Finding],
    judged_until: datetime,
    now: datetime,
) -> Raised:
    """Store what is new of a car's findings, and what they and the ends of silences do to its alerts.

    Args:
        connection: within the transaction of the detectors' place.
        vehicle: the car.
        found: what its detectors have found.
        judged_until: event time up to which they have judged all of it.
        now: the stack's present.
    """
    if found:
        # Days and what has just arrived can be judged at the same time.
        alerts.lock_vehicle(connection, vehicle.vehicle_id)
    numbers = ((findings.record(connection, finding), finding) for finding in found)
    new = {number: finding for number, finding in numbers if number is not None}
    waiting = held_findings.waiting(connection, vehicle.vehicle_id)
    if not new and not waiting:
        return Raised()
    entries = silences.of_vehicle(connection, vehicle)
    quiet = hold(new, entries, vehicle.model)
    if quiet:
        held_findings.hold(connection, quiet)
    told = {number: finding for number, finding in new.items() if number not in quiet}
    waiting |= {number: new[number] for number in quiet}
    settled: list[Settlement] = []
    if waiting:
        ends = [one.finding for one in findings.of_vehicle(connection, vehicle.vehicle_id) if one.finding.cleared]
        due = settle(waiting, ends, entries, vehicle.model, max(judged_until, now - PATIENCE))
        mine = held_findings.settle(connection, due, now)
        settled = [one for one in due if one.finding_id in mine]
    changed: set[UUID] = set()
    for together in in_order(told, waiting, settled):
        changed |= _merge(connection, vehicle.vehicle_id, together)
    return Raised(len(new), len(quiet), len(changed))


def _merge(connection: psycopg.Connection[Any], vehicle_id: str, numbers: Mapping[int, Finding]) -> set[UUID]:
    """Store what findings do to the car's alerts; which of them have changed."""
    known = alerts.list_alerts(connection, KNOWN_STATUSES, vehicle_id)
    changes = merge(numbers.values(), known)
    for change in changes:
        about = [number for number, finding in numbers.items() if finding.failure_mode == change.alert.failure_mode]
        latest = next((number for number in about if numbers[number] is change.latest), change.alert.latest_finding_id)
        alerts.save(
            connection,
            replace(change.alert, finding_count=change.alert.finding_count + len(about), latest_finding_id=latest),
        )
    return {change.alert.alert_id for change in changes}
