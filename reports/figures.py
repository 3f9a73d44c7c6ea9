"""The figures of the fleet health report, computed from rows."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from reports.problems import Problem
from vehicle.failure import ServiceItem
from vehicle.finding import Severity

SILENT_AFTER: Final = timedelta(days=1)
"""A car that has sent nothing for longer counts as silent: nothing is known of it, so it is not healthy."""


@dataclass(frozen=True, slots=True)
class FleetFigures:
    """What the report says in numbers."""

    watched: int
    """Known cars."""
    silent: tuple[str, ...]
    """Those not heard of for `SILENT_AFTER`, or ever."""
    troubled: int
    """Cars with at least one open problem."""
    open_problems: int
    services_due: int
    """Counted nowhere else here: nothing is wrong with these cars."""
    danger: int
    booked: int
    """Open problems with an appointment."""
    begun: int
    """... that has begun: the workshop has yet to report."""
    late: int
    """... that lies after the earliest expected failure."""
    by_component: tuple[tuple[str, tuple[tuple[Severity, int], ...]], ...]
    """Open problems per component and severity, the most frequent component and the worst severity first."""
    median_warning: timedelta | None
    """From an alert's opening to the expected failure; None: no failure is dated."""


def fleet_figures(
    problems: Sequence[Problem], known: Collection[str], contacts: Mapping[str, datetime], now: datetime
) -> FleetFigures:
    """The figures of open `problems` in a fleet of `known` cars, last heard of at `contacts`."""
    everything, problems = problems, [problem for problem in problems if problem.is_fault]
    warnings_s = [warning.total_seconds() for warning in map(warning_time, problems) if warning]
    booked = [problem for problem in problems if problem.appointment]
    return FleetFigures(
        watched=len(known),
        silent=tuple(sorted(car for car in known if car not in contacts or now - contacts[car] > SILENT_AFTER)),
        troubled=len({problem.alert.vehicle_id for problem in problems}),
        open_problems=len(problems),
        services_due=sum(one.alert.failure_mode == ServiceItem.SERVICE_DUE for one in everything),
        danger=sum(problem.is_danger for problem in problems),
        booked=len(booked),
        begun=sum(problem.is_begun(now) for problem in booked),
        late=sum(map(may_fail_before, booked)),
        by_component=_by_component(problems),
        median_warning=timedelta(seconds=median(warnings_s)) if warnings_s else None,
    )


def warning_time(problem: Problem) -> timedelta | None:
    """From the alert's opening to the expected failure."""
    return problem.failure.likely - problem.alert.opened_at if problem.failure else None


def may_fail_before(problem: Problem) -> bool:
    """Whether the part may fail before its appointment."""
    failure, appointment = problem.failure, problem.appointment
    return failure is not None and appointment is not None and appointment.starts_at > failure.earliest


def _by_component(problems: Sequence[Problem]) -> tuple[tuple[str, tuple[tuple[Severity, int], ...]], ...]:
    counted: dict[str, Counter[Severity]] = {}
    for problem in problems:
        counted.setdefault(problem.alert.component, Counter())[problem.alert.severity] += 1
    frequent = sorted(counted.items(), key=lambda item: (-item[1].total(), item[0]))
    return tuple((component, tuple(sorted(by.items(), reverse=True))) for component, by in frequent)
