"""From alerts to orders: opens the tickets that are sure enough, and plans one visit per car for them.

What belongs together is one transaction per car: alert, ticket, its first step, visit, and the message that books it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import structlog

from config.clock import Clock, WallClock
from storage import alerts, findings, outbox, silences, tickets, visits
from tickets.alert import Alert, AlertStatus
from tickets.catalogue import Catalogue
from tickets.payload import TicketInVisit, booking_payload, encode
from tickets.planning import Plan, PlanReason, plan_visit
from tickets.states import made, move
from tickets.ticket import ServiceTicket, TicketState
from tickets.triage import OPEN_STATUSES, Order, Wait, decide
from tickets.visit import Appointment, BookingKind, BookingMessage, BookingState, Visit, VisitState

log = structlog.get_logger()


@dataclass(slots=True)
class OrderSummary:
    """What one run did."""

    tickets_opened: int = 0
    tickets_changed: int = 0
    messages: int = 0
    """Messages put into the outbox: new visits, and changes of visits."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Alerts that wait for an engineer, by reason."""


def open_tickets(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    clock: Clock,
    console_url: str = "",
    vehicles: Collection[str] | None = None,
) -> OrderSummary:
    """Make tickets and visits of open alerts; a second run over the same alerts changes nothing.

    Args:
        connection: its transactions are committed car by car, unless the caller has one under way.
        catalogue: what the faults mean.
        clock: the stack's.
        console_url: base of the links to the tickets' pages, empty if there are none.
        vehicles: of these cars only.
    """
    summary = OrderSummary()
    if vehicles is None:
        with connection.transaction():
            vehicles = {alert.vehicle_id for alert in alerts.list_alerts(connection, OPEN_STATUSES)}
    for vehicle_id in sorted(vehicles):
        with connection.transaction():
            plan = _plan(connection, vehicle_id, catalogue, clock.now(), summary)
            if plan:
                _store(connection, plan, summary)
            if plan and plan.reason:
                outbox.add(connection, _message(connection, plan, plan.reason, catalogue, console_url))
                summary.messages += 1
                log.info("visit_to_book", visit_id=str(plan.visit.visit_id), reason=plan.reason)
    return summary


def begin_visit(connection: psycopg.Connection[Any], visit: Visit, now: datetime) -> None:
    """Note that a visit's appointment has begun: tickets that missed it are left for another visit."""
    visits.save(connection, replace(visit, state=VisitState.IN_PROGRESS))
    for ticket in tickets.of_visit(connection, visit.visit_id):
        if ticket.state is TicketState.BOOKED:
            _, step = move(ticket, TicketState.IN_PROGRESS, now, "the appointment has begun")
            tickets.move(connection, step)
    for message in outbox.of_visit(connection, visit.visit_id):
        if message.state is BookingState.PENDING:
            outbox.mark_dead(connection, message.message_id, None, "the appointment had begun")


def _plan(
    connection: psycopg.Connection[Any], vehicle_id: str, catalogue: Catalogue, now: datetime, summary: OrderSummary
) -> Plan | None:
    visits.lock_vehicle(connection, vehicle_id)
    visit, appointment = _upcoming(connection, vehicle_id, now)
    orders: list[tuple[Alert, Order]] = []
    listed = alerts.list_alerts(connection, OPEN_STATUSES, vehicle_id)
    quiet = silences.over_alerts(connection, listed, now)
    for alert in listed:
        decision = decide(alert, catalogue, quiet.get(alert.alert_id))
        if isinstance(decision, Wait):
            summary.waiting[decision.reason] = summary.waiting.get(decision.reason, 0) + 1
        else:
            orders.append((alert, decision))
    known = tickets.list_tickets(connection, vehicle_id=vehicle_id)
    new_ids = [uuid4() for _ in range(len(orders) + 1)]
    return plan_visit(orders, known, visit, appointment, new_ids=new_ids, now=now)


def _upcoming(
    connection: psycopg.Connection[Any], vehicle_id: str, now: datetime
) -> tuple[Visit | None, Appointment | None]:
    """The visit that can still be changed, and its appointment."""
    visit = visits.find_open(connection, vehicle_id)
    appointment = visits.find_appointment(connection, visit.visit_id) if visit else None
    if visit and appointment and appointment.starts_at <= now:
        begin_visit(connection, visit, now)
        return None, None
    return visit, appointment


def _store(connection: psycopg.Connection[Any], plan: Plan, summary: OrderSummary) -> None:
    visits.save(connection, plan.visit)
    for before, after in plan.changed:
        tickets.save(connection, after)
        if before is not None:
            summary.tickets_changed += 1
            continue
        tickets.move(connection, made(after, "an alert was sure enough"))
        _confirm(connection, after)
        summary.tickets_opened += 1
        log.info("ticket_opened", vehicle_id=after.vehicle_id, failure_mode=after.failure_mode, channel=after.channel)


def _confirm(connection: psycopg.Connection[Any], ticket: ServiceTicket) -> None:
    alert = alerts.find_open(connection, ticket.vehicle_id, ticket.component, ticket.failure_mode)
    if alert and alert.status is AlertStatus.OPEN:
        alerts.save(connection, replace(alert, status=AlertStatus.CONFIRMED))


def _message(
    connection: psycopg.Connection[Any], plan: Plan, reason: PlanReason, catalogue: Catalogue, console_url: str
) -> BookingMessage:
    contents = [_content(connection, ticket) for ticket in plan.tickets]
    revision = len(outbox.of_visit(connection, plan.visit.visit_id)) + 1
    payload = booking_payload(plan.visit, contents, catalogue, revision, console_url)
    # Sending is about the network, so the outbox goes by the machine's time even where the stack's is the data's.
    now = WallClock().now()
    return BookingMessage(
        message_id=uuid4(),
        visit_id=plan.visit.visit_id,
        kind=BookingKind.CREATE if reason is PlanReason.NEW_VISIT else BookingKind.UPDATE,
        body=encode(payload),
        created_at=now,
        next_attempt_at=now,
    )


def _content(connection: psycopg.Connection[Any], ticket: ServiceTicket) -> TicketInVisit:
    alert = alerts.find(connection, ticket.alert_id)
    finding_id = alert.latest_finding_id if alert else None
    finding = findings.find(connection, finding_id) if finding_id is not None else None
    return TicketInVisit(
        ticket=ticket,
        locations=alert.locations if alert else (),
        evidence=finding.evidence.summary if finding else "",
    )
