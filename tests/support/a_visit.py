"""Builders of alerts, tickets and visits for tests, one fixed story: a leaking tyre and two weak cell groups."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tickets.alert import Alert, AlertStatus
from tickets.catalogue import load_catalogue
from tickets.payload import TicketInVisit, booking_payload, encode
from tickets.ticket import Channel, ServiceTicket, TicketState
from tickets.visit import Visit, VisitState
from vehicle.failure import FailureMode, Occasion
from vehicle.finding import Evidence, Finding, Severity

NOW = datetime(2026, 9, 7, 6, 0, tzinfo=UTC)
"""A Monday morning."""
VEHICLE = "veh-0001"
CATALOGUE = load_catalogue()


def a_finding(**changes: Any) -> Finding:
    """A tyre that leaks."""
    finding = Finding(
        vehicle_id=VEHICLE,
        component="tyre",
        failure_mode="tyre_slow_leak",
        detector="tyre-leak",
        score=1.4,
        severity=Severity.WARNING,
        confidence=0.8,
        observed_at=NOW,
        window_start=NOW - timedelta(days=7),
        window_end=NOW,
        evidence=Evidence("Front left loses 3.1 kPa a day; the other three lose nothing.", "It keeps its pressure."),
        locations=("fl",),
    )
    return replace(finding, **changes)


def an_alert(mode: Occasion = FailureMode.TYRE_SLOW_LEAK, **changes: Any) -> Alert:
    """An open alert that is sure enough for a ticket."""
    alert = Alert(
        alert_id=UUID(int=sum(map(ord, mode))),
        vehicle_id=VEHICLE,
        component=mode.component,
        failure_mode=mode,
        status=AlertStatus.OPEN,
        severity=Severity.WARNING,
        score=1.4,
        confidence=0.8,
        opened_at=NOW - timedelta(days=1),
        last_seen_at=NOW,
    )
    return replace(alert, **changes)


def a_ticket(**changes: Any) -> ServiceTicket:
    """A ticket for the tyre."""
    ticket = ServiceTicket(
        ticket_id=UUID(int=0x71),
        alert_id=an_alert().alert_id,
        visit_id=UUID(int=0x51),
        vehicle_id=VEHICLE,
        component="tyre",
        failure_mode="tyre_slow_leak",
        severity=Severity.WARNING,
        title="Tyre loses air slowly (fl)",
        action="Repair it",
        channel=Channel.MOBILE,
        parts=("tyre valve",),
        due_at=NOW + timedelta(days=7),
        state=TicketState.OPEN,
        created_at=NOW,
    )
    return replace(ticket, **changes)


def a_visit(**changes: Any) -> Visit:
    """A planned visit for that ticket."""
    due_at = NOW + timedelta(days=7)
    visit = Visit(UUID(int=0x51), VEHICLE, VisitState.PLANNED, Channel.MOBILE, due_at, NOW)
    return replace(visit, **changes)


def a_body(revision: int = 1, visit_id: UUID | None = None, **ticket_changes: Any) -> bytes:
    """The encoded payload of that visit."""
    content = TicketInVisit(a_ticket(**ticket_changes), ("fl",), "Front left loses 3.1 kPa a day.")
    visit = a_visit(visit_id=visit_id) if visit_id else a_visit()
    return encode(booking_payload(visit, [content], CATALOGUE, revision))
