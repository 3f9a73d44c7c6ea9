"""Everything that is known of one problem, from the claim to the appointment, and the order to read them in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg

from storage import alerts, findings, silences, tickets, visits
from storage.prognoses import Prognosis, latest_prognosis
from tickets.alert import Alert, AlertStatus
from tickets.silence import Silence
from tickets.ticket import ServiceTicket
from tickets.visit import Appointment
from vehicle.failure import ServiceItem
from vehicle.finding import Finding, Severity

OPEN: Final = (AlertStatus.OPEN, AlertStatus.CONFIRMED)
"""The statuses of problems that are not over."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_MOST_DAYS: Final = 36_500.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """When a failure is expected: most likely, and the interval it lies in."""

    earliest: datetime
    likely: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """An alert with what it rests on and what was ordered against it."""

    alert: Alert
    finding: Finding | None
    """The one whose evidence is shown; None where it was not read."""
    ticket: ServiceTicket | None = None
    appointment: Appointment | None = None
    prognosis: Prognosis | None = None
    """The latest that any of its findings made."""
    silence: Silence | None = None
    """The entry because of which it waits for nobody, if that was asked for."""

    @property
    def failure(self) -> Expectation | None:
        """When it fails if nobody does anything; None where no detector can tell."""
        if self.prognosis is None:
            return None
        life = self.prognosis.remaining_useful_life
        days = (min(days, _MOST_DAYS) for days in (life.low_days, life.expected_days, life.high_days))
        return Expectation(*(self.prognosis.observed_at + timedelta(days=count) for count in days))

    def is_begun(self, now: datetime) -> bool:
        """Whether its appointment has begun, so that the workshop is what it waits for."""
        return self.appointment is not None and self.appointment.starts_at <= now

    @property
    def is_fault(self) -> bool:
        """Whether a part has failed or is about to; services that are due and missing data never count with them."""
        return self.alert.failure_mode not in frozenset(ServiceItem)

    @property
    def is_danger(self) -> bool:
        """Whether the car must not be driven or charged."""
        return self.alert.severity is Severity.DANGER


def urgency(problem: Problem) -> tuple[int, datetime, datetime, str]:
    """Sorts problems: the worst first, then what fails first, then what waits longest."""
    failure = problem.failure
    return (
        -problem.alert.severity,
        failure.likely if failure else _NEVER,
        problem.alert.opened_at,
        str(problem.alert.alert_id),
    )


def read_problems(
    connection: psycopg.Connection[Any],
    statuses: Collection[AlertStatus] = OPEN,
    vehicle_id: str | None = None,
    *,
    with_evidence: bool = True,
    at: datetime | None = None,
) -> list[Problem]:
    """The problems in these statuses, of one vehicle or of all, the most urgent first; `at` as in `problems_of`."""
    listed = alerts.list_alerts(connection, statuses, vehicle_id)
    return sorted(problems_of(connection, listed, with_evidence=with_evidence, at=at), key=urgency)


def read_problem(connection: psycopg.Connection[Any], alert_id: UUID, at: datetime | None = None) -> Problem | None:
    """The problem that one alert tells of, or None; `at` as in `problems_of`."""
    alert = alerts.find(connection, alert_id)
    return problems_of(connection, [alert], at=at)[0] if alert else None


def problems_of(
    connection: psycopg.Connection[Any],
    listed: Sequence[Alert],
    *,
    with_evidence: bool = True,
    at: datetime | None = None,
) -> list[Problem]:
    """The problems that alerts tell of, in their order; with what keeps them quiet `at` a time, if one is given."""
    quiet = silences.over_alerts(connection, listed, at) if at is not None else {}
    cars = {alert.vehicle_id for alert in listed}
    only = cars.pop() if len(cars) == 1 else None
    ordered = {ticket.alert_id: ticket for ticket in tickets.list_tickets(connection, vehicle_id=only)}
    booked = {appointment.visit_id: appointment for appointment in visits.list_appointments(connection)}

    def problem(alert: Alert) -> Problem:
        ticket = ordered.get(alert.alert_id)
        number = alert.latest_finding_id
        return Problem(
            alert=alert,
            finding=findings.find(connection, number) if number is not None and with_evidence else None,
            ticket=ticket,
            appointment=booked.get(ticket.visit_id) if ticket else None,
            prognosis=latest_prognosis(connection, alert),
            silence=quiet.get(alert.alert_id),
        )

    return [problem(alert) for alert in listed]
