"""Judges the fleet: every complete day of every car, up to the car's own last contact, with all detectors.

Runs day by day and one run over history give the same findings: `flows.judging` says which days are due. What a run
finds, the alerts it changes and the car's place are stored in one transaction.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
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
from flows.rules_at_work import RulesAtWork, RulesChangedError
from flows.withdrawal import abandoned
from rules.detector import RuleDetector
from rules.loader import CATALOGUE, load_rules
from rules.rule import Rule
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


def all_detectors(rules: Sequence[Rule] | None = None) -> tuple[Detector, ...]:
    """These rules, or else the shipped ones, and the models.

    Raises:
        RuleError: if the shipped ones are broken.
    """
    return (*map(RuleDetector, load_rules() if rules is None else rules), CellPeers(), CellDrift())


def diagnose(
    database: psycopg.Connection[Any] | str,
    clock: Clock,
    *,
    rules: Path = CATALOGUE,
    go_on: bool = False,
    until: datetime | None = None,
    vehicles: Collection[str] | None = None,
) -> DiagnosisSummary:
    """Judge every day that is complete and has not been judged with all of its samples.

    Args:
        database: a connection without an open transaction, or an address.
        clock: the stack's; no day is judged before it has ended.
        rules: folder of the rule files.
        go_on: if they are broken, refuse them, and judge by those that were last right.
        until: judge no day that ends later.
        vehicles: judge these cars only.

    Raises:
        RuleError: if the rule files are broken, and there are none to go on with.
        DatabaseUnavailableError: if nobody answers at the address.
    """
    latest = clock.now() if until is None else min(until, clock.now())
    summary = DiagnosisSummary()
    with _connection(database) as connection:
        with connection.transaction():
            at_work = RulesAtWork.begin(connection, rules, go_on=go_on)
        with connection.transaction():
            contacts, waiting = ledger.last_contact(connection), held_findings.waiting_vehicles(connection)
        for vehicle_id in sorted(contacts if vehicles is None else contacts.keys() & set(vehicles)):
            done = _claim_vehicle(connection, vehicle_id, latest, at_work, waits=vehicle_id in waiting)
            summary = summary.plus(done)
            if done.busy:
                break
    return summary


def _claim_vehicle(
    connection: psycopg.Connection[Any], vehicle_id: str, latest: datetime, at_work: RulesAtWork, *, waits: bool
) -> DiagnosisSummary:
    """Judge one car in one transaction, by the rules at work; what of it waits for a silence's end is told."""
    while True:
        try:
            with connection.transaction():
                if not detectors.claim(connection, detectors.DIAGNOSIS):
                    return DiagnosisSummary(busy=True)
                done = _diagnose_vehicle(connection, vehicle_id, latest, at_work)
                return _let_go(connection, vehicle_id, latest) if waits and not done.vehicles else done
        except RulesChangedError:
            with connection.transaction():
                at_work.follow(connection)


@contextmanager
def _connection(database: psycopg.Connection[Any] | str) -> Iterator[psycopg.Connection[Any]]:
    if isinstance(database, str):
        with connect(database, application="vsc diagnose") as connection:
            yield connection
    else:
        yield database


def _diagnose_vehicle(
    connection: psycopg.Connection[Any], vehicle_id: str, latest: datetime, at_work: RulesAtWork
) -> DiagnosisSummary:
    """Judge the days of one car that are due, and store all that follows.

    Raises:
        RulesChangedError: if other rules came to work meanwhile.
    """
    place = Place.of(detectors.find(connection, detectors.DIAGNOSIS, vehicle_id))
    vehicle = registry.find(connection, vehicle_id)
    arrivals = ledger.arrivals(connection, vehicle_id, place.arrived)
    if vehicle is None or arrivals is None:
        return DiagnosisSummary()
    stays = silences.stays(connection, vehicle_id)
    judges = all_detectors(at_work.rules)
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
            told=lambda since: _told(connection, vehicle_id, since, names, at_work),
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
    connection: psycopg.Connection[Any],
    vehicle_id: str,
    since: datetime,
    names: Collection[str],
    at_work: RulesAtWork,
) -> list[Finding]:
    """What these said of a car, if any of it since a time; `vsc watch` adds nothing until the new place is stored.

    Raises:
        RulesChangedError: if it may have added what other rules say, whose claims would be ended here.
    """
    alerts.lock_vehicle(connection, vehicle_id)
    at_work.check(connection)
    return [one for one in findings.touched(connection, vehicle_id, since) if one.detector in names]


def _let_go(connection: psycopg.Connection[Any], vehicle_id: str, latest: datetime) -> DiagnosisSummary:
    """Tell of what was held back of a car that has nothing new to be judged, if nothing keeps it quiet any more."""
    vehicle, place = registry.find(connection, vehicle_id), detectors.find(connection, detectors.DIAGNOSIS, vehicle_id)
    if vehicle is None or place is None:
        return DiagnosisSummary()
    return _summary(raise_alerts(connection, vehicle, [], place.evaluated_until, latest))


def _summary(raised: Raised, days: int = 0) -> DiagnosisSummary:
    return DiagnosisSummary(int(days > 0), days, raised.findings, raised.held, raised.alerts)
