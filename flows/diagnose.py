"""Judges the fleet: every complete day of every car, up to the car's own last contact, with all detectors.

A day is judged once the car has been in contact after its end, so that runs day by day and one run over history give
the same findings. What a run finds, the alerts it changes and the car's place are stored in one transaction. When
samples of a judged day arrive, or it becomes known that it was spent in a workshop, the car goes back to a state from
before that day, and is judged again from there.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import psycopg
import structlog

from config.clock import Clock
from diagnostics.cell_peers import CellPeers
from features.panel import Observations
from features.stays import first_change
from flows.missing import name_missing
from flows.observations import DAY, observations
from flows.place import Place
from flows.raising import Raised, raise_alerts
from flows.remaining_life import with_life
from flows.withdrawal import withdrawn
from rules.detector import RuleBook, RuleDetector
from rules.loader import load_rules
from storage import detectors, findings, held_findings, ledger, silences
from storage import vehicles as registry
from storage.connection import connect
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord

_LOG: Final = structlog.get_logger()


class Detector(Protocol):
    """What judges observations: a rule or a model."""

    @property
    def name(self) -> str:
        """Unique; its findings carry it."""

    def evaluate(self, vehicle: VehicleRecord, observations: Observations, state: Any) -> tuple[Any, list[Finding]]:
        """The state after these observations as JSON values (None: none yet), and what is news in them."""


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
    return (*map(RuleDetector, load_rules()), CellPeers())


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
    judged_until = place.until
    stays = silences.stays(connection, vehicle_id)
    changed = [at for at in (arrivals.first_new_at, first_change(place.stays, stays)) if at is not None]
    if judged_until and changed and min(changed) < judged_until:
        place.go_back(min(changed))
    start = place.until or _midnight(arrivals.first_at)
    end = max(_midnight(min(latest, arrivals.last_contact_at)), judged_until or start)
    if start >= end:
        return DiagnosisSummary()
    rules = [judge.rule for judge in judges if isinstance(judge, RuleDetector)]
    found: list[Finding] = []
    for day in _days(start, end):
        place.mark(day)
        found += _judge_day(place, vehicle, observations(connection, vehicle, day, rules, stays), judges)
    found += withdrawn(findings.touched(connection, vehicle_id, start), found, (start, end))
    if judged_until and start < judged_until:
        _LOG.info("judged_again", vehicle_id=vehicle_id, since=start.isoformat())
    place.arrived, place.until, place.stays = arrivals.through, end, stays
    detectors.save(connection, place.stored(vehicle_id))
    raised = raise_alerts(connection, vehicle, name_missing(connection, vehicle_id, found, stays), end, latest)
    return _summary(raised, days=(end - start) // DAY)


def _let_go(connection: psycopg.Connection[Any], vehicle_id: str, latest: datetime) -> DiagnosisSummary:
    """Tell of what was held back of a car that has nothing new to be judged, if nothing keeps it quiet any more."""
    vehicle, place = registry.find(connection, vehicle_id), detectors.find(connection, detectors.DIAGNOSIS, vehicle_id)
    if vehicle is None or place is None:
        return DiagnosisSummary()
    return _summary(raise_alerts(connection, vehicle, [], place.evaluated_until, latest))


def _summary(raised: Raised, days: int = 0) -> DiagnosisSummary:
    return DiagnosisSummary(int(days > 0), days, raised.findings, raised.held, raised.alerts)


def _judge_day(
    place: Place, vehicle: VehicleRecord, observed: Observations, judges: Sequence[Detector]
) -> list[Finding]:
    rules = {judge.name: judge.rule for judge in judges if isinstance(judge, RuleDetector)}
    states, found = RuleBook(tuple(rules.values())).evaluate(vehicle, observed, place.states)
    place.states |= states
    found = [with_life(rules[finding.detector], finding) for finding in found]
    for judge in judges:
        if judge.name not in rules:
            place.states[judge.name], news = judge.evaluate(vehicle, observed, place.states.get(judge.name))
            found += news
    return found


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += DAY
