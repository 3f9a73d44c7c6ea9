"""The first page: what is open, the worst first, and whether the data can be trusted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from console.present import Connection, Database, Present
from console.rendering import page
from reports.figures import SILENT_AFTER
from reports.problems import Problem, read_problems
from storage import alerts, held_findings, ledger, outbox, quarantine, vehicles
from tickets.alert import Alert, AlertStatus
from vehicle.finding import Severity

router = APIRouter(include_in_schema=False)
DANGER_REMEMBERED: Final = timedelta(days=7)
"""How long a dismissed danger stays on the first page."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How much of the fleet is heard of, and how recent the data is."""

    vehicles: int
    silent: int
    """Known, and not heard of for `SILENT_AFTER`, or ever."""
    latest: datetime | None
    """The latest sign of any car."""
    batches: int
    samples: int
    quarantined: int


def read_freshness(connection: Connection, now: datetime) -> Freshness:
    """The freshness of all that is stored."""
    known = vehicles.known_ids(connection)
    contacts = {key: at for key, at in ledger.last_contact(connection).items() if key in known}
    heard = sum(now - at <= SILENT_AFTER for at in contacts.values())
    totals = ledger.totals(connection)
    return Freshness(
        vehicles=len(known),
        silent=len(known) - heard,
        latest=max(contacts.values(), default=None),
        batches=totals.batches,
        samples=totals.samples,
        quarantined=sum(quarantine.counts(connection).values()),
    )


@router.get("/")
def overview(connection: Database, now: Present) -> HTMLResponse:
    """Every open alert: danger, then what waits for a decision, then what is under way."""
    problems = read_problems(connection, at=now)
    return page(
        "overview.html",
        here="overview",
        now=now,
        danger=[problem for problem in problems if problem.is_danger],
        waiting=[problem for problem in problems if _waits(problem) and not problem.is_danger],
        settled=[one for one in problems if not _waits(one) and one.silence is None and not one.is_danger],
        quiet=[problem for problem in problems if problem.silence is not None],
        held_count=sum(held_findings.counts(connection).values()),
        first_waiting=next((problem for problem in problems if _waits(problem)), None),
        waiting_count=sum(map(_waits, problems)),
        counts={severity: _count(problems, severity) for severity in sorted(Severity, reverse=True)},
        dismissed_danger=_dismissed_danger(connection, now),
        fresh=read_freshness(connection, now),
        undelivered=len(outbox.list_dead(connection)),
    )


def _dismissed_danger(connection: Connection, now: datetime) -> list[Alert]:
    dismissed = alerts.list_alerts(connection, (AlertStatus.DISMISSED,))
    return [
        alert
        for alert in dismissed
        if alert.severity is Severity.DANGER and now - alert.last_seen_at <= DANGER_REMEMBERED
    ]


def _waits(problem: Problem) -> bool:
    return problem.alert.status is AlertStatus.OPEN and problem.silence is None


def _count(problems: list[Problem], severity: Severity) -> int:
    return sum(problem.alert.severity is severity for problem in problems)
