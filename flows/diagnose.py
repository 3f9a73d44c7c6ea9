"""Judges the fleet: every complete day of every car, up to the car's own last contact, with all detectors.

Runs day by day and one run over history give the same findings: `flows.judging` says which days are due. What a run
finds, the alerts it changes and the car's place are stored in one transaction.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import psycopg
import structlog

from config.clock import Clock
from diagnostics.cell_drift import CellDrift
from diagnostics.cell_peers import CellPeers
from flows.judging import Detector, Known, judge_due
from flows.missing import name_missing
from flows.observations import DAY, observations
from flows.place import Place
from flows.raising import Raised, raise_alerts
from flows.withdrawal import abandoned
from rules.detector import RuleDetector
from rules.loader import load_rules
from storage import alerts, detectors, findings, held_findings, ledger, silences
from storage import vehicles as registry
from storage.connection import connect
from vehicle.finding import Finding

_LOG: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DiagnosisSummary:
    """What one run did."""

    vehicles: int = 0
    """Cars of which at least one day was judged."""
    vehicle_days: int = 0
    findings: int = 0
    """New ones."""
    held: int = 0
    """Of these, held back because something keeps them quiet."""
    alerts: int = 0
    """Opened or changed."""
    busy: bool = False
    """Another run was at it, so this one stopped."""

    def plus(self, other: "DiagnosisSummary") -> "DiagnosisSummary":
        """Both together."""
        return DiagnosisSummary(
            self.vehicles + other.vehicles,
            self.vehicle_days + other.vehicle_days,
            self.findings + other.findings,
            self.held + other.held,
            self.alerts + other.alerts,
            self.busy or other.busy,
        )


def all_detectors() -> tuple[Detector, ...]:
    """The rules of the catalogue, and the models.

    Raises:
        RuleError: if the catalogue is broken.
    """
    return (*map(RuleDetector, load_rules()), CellPeers(), CellDrift())


def diagnose(
    database: psycopg.Connection[Any] | str,
    clock: Clock,
    *,
    until: datetime | None = None,
    vehicles: Collection[str] | None = None,
) -> DiagnosisSummary:
    """Judge every day that is complete and has not been judged with all of its samples.

    Args:
        database: a connection without an open transaction, or an address.
        clock: the stack's; no day is judged before it has ended.
        until: judge no day that ends later.
        vehicles: judge these cars only.

    Raises:
        RuleError: if the rule catalogue is broken.
        DatabaseUnavailableError: if nobody answers at the address.
    """
    judges = all_detectors()
    latest = clock.now() if until is None else min(until, clock.now())
    summary = DiagnosisSummary()
    with _connection(database) as connection:
        with connection.transaction():
            contacts, waiting = ledger.last_contact(connection), held_findings.waiting_vehicles(connection)
        for vehicle_id in sorted(contacts if vehicles is None else contacts.keys() & set(vehicles)):
            with connection.transaction():
                if not detectors.claim(connection, detectors.DIAGNOSIS):
                    return replace(summary, busy=True)
                done = _diagnose_vehicle(connection, vehicle_id, latest, judges)
                if not done.vehicles and vehicle_id in waiting:
                    done = _let_go(connection, vehicle_id, latest)
                summary = summary.plus(done)
    return summary


@contextmanager
def _connection(database: psycopg.Connection[Any] | str) -> Iterator[psycopg.Connection[Any]]:
    if isinstance(database, str):
        with connect(database, application="vsc diagnose") as connection:
            yield connection
    else:
        yield database


def _diagnose_vehicle(
    connection: psycopg.Connection[Any], vehicle_id: str, latest: datetime, judges: Sequence[Detector]
) -> DiagnosisSummary:
    """Judge the days of one car that are due, and store all that follows."""
    place = Place.of(detectors.find(connection, detectors.DIAGNOSIS, vehicle_id))
    vehicle = registry.find(connection, vehicle_id)
    arrivals = ledger.arrivals(connection, vehicle_id, place.arrived)
    if vehicle is None or arrivals is None:
        return DiagnosisSummary()
    stays = silences.stays(connection, vehicle_id)
    rules = [judge.rule for judge in judges if isinstance(judge, RuleDetector)]
    names = {judge.name for judge in judges}
    judged = judge_due(
        place,
        Known(
            vehicle,
            arrivals,
            stays,
            latest,
            observe=lambda day: observations(connection, vehicle, day, rules, stays),
            told=lambda since: _told(connection, vehicle_id, since, names),
        ),
        judges,
    )
    if judged is None:
        return DiagnosisSummary()
    if judged.again:
        _LOG.info("judged_again", vehicle_id=vehicle_id, since=judged.start.isoformat())
    detectors.save(connection, place.stored(vehicle_id))
    ends = abandoned(findings.of_others(connection, vehicle_id, names), names, judged.end)
    news = name_missing(connection, vehicle_id, [*judged.found, *judged.withdrawn, *ends], stays)
    raised = raise_alerts(connection, vehicle, news, judged.end, latest)
    return _summary(raised, days=(judged.end - judged.start) // DAY)


def _told(
    connection: psycopg.Connection[Any], vehicle_id: str, since: datetime, names: Collection[str]
) -> list[Finding]:
    """What these said of a car, if any of it since a time; `vsc watch` adds nothing until the new place is stored."""
    alerts.lock_vehicle(connection, vehicle_id)
    return [one for one in findings.touched(connection, vehicle_id, since) if one.detector in names]


def _let_go(connection: psycopg.Connection[Any], vehicle_id: str, latest: datetime) -> DiagnosisSummary:
    """Tell of what was held back of a car that has nothing new to be judged, if nothing keeps it quiet any more."""
    vehicle, place = registry.find(connection, vehicle_id), detectors.find(connection, detectors.DIAGNOSIS, vehicle_id)
    if vehicle is None or place is None:
        return DiagnosisSummary()
    return _summary(raise_alerts(connection, vehicle, [], place.evaluated_until, latest))


def _summary(raised: Raised, days: int = 0) -> DiagnosisSummary:
    return DiagnosisSummary(int(days > 0), days, raised.findings, raised.held, raised.alerts)
