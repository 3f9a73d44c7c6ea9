"""The fleet health report: one page for a service manager, with its pictures in it."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from config.clock import Clock
from reports import figures, timelines
from reports.condition import condition_charts
from reports.evidence import evidence_charts
from reports.pages import page_environment, style, write_page
from reports.problems import Problem, read_problems, urgency
from storage import ledger, quarantine, vehicles
from storage.health import daily_conditions
from vehicle.failure import ServiceItem

CONDITION_SPAN: Final = timedelta(days=42)
"""How far back the condition of the fleet is shown."""
EVIDENCE_HEIGHT: Final = 120
MOST_EVIDENCE: Final = 24
"""Problems whose evidence has a chart; the table before names all."""
_HERE: Final = Path(__file__).parent
_PAGES: Final = page_environment(_HERE / "templates")
_PAGES.filters.update(
    repair_strip=timelines.repair_strip,
    axis_strip=timelines.axis_strip,
    warning_strip=timelines.warning_strip,
    bar=timelines.bar,
    severity_bar=timelines.severity_bar,
    may_fail_before=figures.may_fail_before,
    warning_time=figures.warning_time,
)


def write_fleet_report(connection: psycopg.Connection[Any], clock: Clock, path: Path) -> Path:
    """Write the report of what is stored, as one HTML file that needs no other, and return where it is.

    The same data at the same time of the clock gives the same bytes.
    """
    page = _PAGES.get_template("fleet.html").render(_content(connection, clock))
    return write_page(page, path)


def _content(connection: psycopg.Connection[Any], clock: Clock) -> dict[str, Any]:
    now = clock.now()
    read = read_problems(connection)
    problems = [problem for problem in read if problem.is_fault]
    contacts = ledger.last_contact(connection)
    due = sorted(problems, key=lambda problem: (problem.is_begun(now), not problem.is_danger, *_due(problem)))
    conditions = daily_conditions(connection, now - CONDITION_SPAN, now)
    warned = [problem for problem in due if problem.failure]
    return {
        "now": now,
        "style": style("chart.css", "fleet.css"),
        "figures": figures.fleet_figures(read, vehicles.known_ids(connection), contacts, now),
        "due": due,
        "services": [problem for problem in read if problem.alert.failure_mode == ServiceItem.SERVICE_DUE],
        "incomplete": [one.alert for one in read if one.alert.failure_mode == ServiceItem.DATA_INCOMPLETE],
        "next": next((problem for problem in due if problem.failure and not problem.is_begun(now)), None),
        "axis": timelines.repair_axis(due, now),
        "warned": warned,
        "longest_warning": max(
            [timedelta(days=1), *(figures.warning_time(problem) or timedelta() for problem in warned)]
        ),
        "evidence": [
            (problem, chart)
            for index, problem in enumerate(problems[:MOST_EVIDENCE])
            for chart in evidence_charts(problem, now, f"evidence-{index}", EVIDENCE_HEIGHT)[:1]
        ],
        "conditions": condition_charts(conditions, problems),
        "totals": ledger.totals(connection),
        "contacts": contacts,
        "quarantined": sorted(quarantine.counts(connection).items(), key=lambda item: (-item[1], item[0])),
        "visits": sorted((p for p in read if p.appointment), key=_appointment),
    }


def _due(problem: Problem) -> tuple[Any, ...]:
    """Sorts problems by when they fail; those that nobody can date last, the worst of them first."""
    return (problem.failure is None, problem.failure and problem.failure.likely, *urgency(problem))


def _appointment(problem: Problem) -> tuple[Any, str]:
    return (problem.appointment and problem.appointment.starts_at, str(problem.alert.alert_id))
