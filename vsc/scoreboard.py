"""How well a simulated fleet was looked after: what was found against what was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from vehicle.failure import ServiceItem


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault that the simulator put into a car."""

    vehicle_id: str
    component: str
    failure_mode: str
    onset_at: datetime
    failed_at: datetime | None
    """When the car can no longer do its work; None: not within what was simulated."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What alerts and tickets are keyed by."""
        return self.vehicle_id, self.component, self.failure_mode


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    """A service ticket that the pipeline made."""

    vehicle_id: str
    component: str
    failure_mode: str
    created_at: datetime
    appointments: int
    """How many appointments at the booking desk name it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the problem behind it would be keyed by."""
        return self.vehicle_id, self.component, self.failure_mode


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tickets were worth."""

    faults_injected: int
    faults_found_before_failure: int
    median_lead_days: float | None
    """Over the faults that fail within what was simulated; None if there is none."""
    tickets: int
    tickets_with_appointment: int
    """Tickets that exactly one appointment names."""
    false_tickets: int
    """Tickets for what was not wrong, or not yet; a service that is due is nothing wrong, and no false ticket."""


def judge(problems: Sequence[Problem], tickets: Sequence[IssuedTicket]) -> Verdict:
    """Compare tickets with the truth; a fault counts as found at its first ticket after the onset."""
    found = {problem.key: at for problem in problems if (at := _found_at(problem, tickets)) is not None}
    leads = {problem.key: _lead(problem, found.get(problem.key)) for problem in problems}
    known: Mapping[tuple[str, str, str], Problem] = {problem.key: problem for problem in problems}
    in_time = [lead for lead in leads.values() if lead is not None and lead > timedelta(0)]
    measured = [lead / timedelta(days=1) for lead in in_time if lead < timedelta.max]
    return Verdict(
        faults_injected=len(problems),
        faults_found_before_failure=len(in_time),
        median_lead_days=round(median(measured), 2) if measured else None,
        tickets=len(tickets),
        tickets_with_appointment=sum(ticket.appointments == 1 for ticket in tickets),
        false_tickets=sum(
            ticket.key not in known or ticket.created_at < known[ticket.key].onset_at
            for ticket in tickets
            if ticket.failure_mode not in frozenset(ServiceItem)
        ),
    )


def _found_at(problem: Problem, tickets: Sequence[IssuedTicket]) -> datetime | None:
    times = [
        ticket.created_at for ticket in tickets if ticket.key == problem.key and ticket.created_at >= problem.onset_at
    ]
    return min(times, default=None)


def _lead(problem: Problem, found_at: datetime | None) -> timedelta | None:
    """Time from the ticket to the failure; unbounded for a fault that does not fail within the simulation."""
    if found_at is None:
        return None
    return timedelta.max if problem.failed_at is None else problem.failed_at - found_at
