"""One visit per car for all its open tickets: what a visit asks for, and when the booking system must hear of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from tickets.alert import Alert
from tickets.catalogue import effort
from tickets.ticket import ServiceTicket, TicketState
from tickets.triage import Order
from tickets.visit import Appointment, Visit, VisitState

EARLIER_BY: Final = timedelta(days=1)
"""Due dates drift with every finding; less than this is not worth moving an appointment."""
UPCOMING_STATES: Final = (TicketState.OPEN, TicketState.BOOKED)
"""The states in which a ticket can still be changed and join a visit."""


class PlanReason(StrEnum):
    """Why the booking system must hear of a visit."""

    NEW_VISIT = "new_visit"
    TICKET_ADDED = "ticket_added"
    CHANNEL_RAISED = "channel_raised"
    TICKET_CHANGED = "ticket_changed"
    DUE_EARLIER = "due_earlier"
    """It is now due before its appointment."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a car's tickets and its visit."""

    visit: Visit
    tickets: tuple[ServiceTicket, ...]
    """All tickets of the visit, as they are to be."""
    changed: tuple[tuple[ServiceTicket | None, ServiceTicket], ...]
    """Before and after of each that is new or different."""
    reason: PlanReason | None
    """None: the booking system need not hear of it."""


def plan_visit(
    orders: Sequence[tuple[Alert, Order]],
    tickets: Sequence[ServiceTicket],
    visit: Visit | None,
    appointment: Appointment | None,
    *,
    new_ids: Sequence[UUID],
    now: datetime,
) -> Plan | None:
    """Fit the orders of one car into its visit, or into a new one; None: there is nothing to do.

    Args:
        orders: what triage orders for each alert of the car.
        tickets: every ticket the car ever had; an alert never gets a second one.
        visit: the car's planned or booked visit, if its appointment has not begun.
        appointment: that visit's.
        new_ids: unused ids: one for a visit and one for each order.
        now: the time of making.
    """
    visit_id = visit.visit_id if visit else new_ids[0]
    by_alert = {ticket.alert_id: ticket for ticket in tickets}
    changed = []
    for (alert, order), ticket_id in zip(orders, new_ids[1:], strict=True):
        before = by_alert.get(alert.alert_id)
        if before and before.state not in UPCOMING_STATES:
            continue
        after = _amended(before, alert, order) if before else _opened(ticket_id, alert, order, now)
        after = replace(after, visit_id=visit_id)
        if after != before:
            changed.append((before, after))
    told = {
        ticket.ticket_id: ticket
        for ticket in tickets
        if visit and ticket.visit_id == visit_id and ticket.state in UPCOMING_STATES
    }
    asked = tuple((told | {after.ticket_id: after for _, after in changed}).values())
    if not asked:
        return None
    planned = _covering(visit, asked) if visit else _new_visit(visit_id, asked, now)
    return Plan(planned, asked, tuple(changed), _reason(visit, planned, appointment, changed))


def _opened(ticket_id: UUID, alert: Alert, order: Order, now: datetime) -> ServiceTicket:
    return ServiceTicket(
        ticket_id=ticket_id,
        alert_id=alert.alert_id,
        visit_id=ticket_id,
        vehicle_id=alert.vehicle_id,
        component=alert.component,
        failure_mode=alert.failure_mode,
        severity=alert.severity,
        title=order.title,
        action=order.action,
        channel=order.channel,
        parts=order.parts,
        due_at=order.due_at,
        state=TicketState.OPEN,
        created_at=now,
    )


def _amended(ticket: ServiceTicket, alert: Alert, order: Order) -> ServiceTicket:
    """A ticket is never made less urgent by itself."""
    return replace(
        ticket,
        severity=max(ticket.severity, alert.severity),
        title=order.title,
        action=order.action,
        channel=max(ticket.channel, order.channel, key=effort),
        parts=order.parts,
        due_at=order.due_at if order.due_at <= ticket.due_at - EARLIER_BY else ticket.due_at,
    )


def _new_visit(visit_id: UUID, tickets: Sequence[ServiceTicket], now: datetime) -> Visit:
    first = tickets[0]
    visit = Visit(visit_id, first.vehicle_id, VisitState.PLANNED, first.channel, first.due_at, now)
    return _covering(visit, tickets)


def _covering(visit: Visit, tickets: Sequence[ServiceTicket]) -> Visit:
    return replace(
        visit,
        channel=max((ticket.channel for ticket in tickets), key=effort),
        due_at=min(ticket.due_at for ticket in tickets),
    )


def _reason(
    before: Visit | None,
    after: Visit,
    appointment: Appointment | None,
    changed: Sequence[tuple[ServiceTicket | None, ServiceTicket]],
) -> PlanReason | None:
    if before is None:
        return PlanReason.NEW_VISIT
    if any(old is None or old.visit_id != new.visit_id for old, new in changed):
        return PlanReason.TICKET_ADDED
    if effort(after.channel) > effort(before.channel):
        return PlanReason.CHANNEL_RAISED
    if any(old is None or replace(old, due_at=new.due_at) != new for old, new in changed):
        return PlanReason.TICKET_CHANGED
    if after.due_at < before.due_at and (appointment is None or appointment.starts_at > after.due_at):
        return PlanReason.DUE_EARLIER
    return None
