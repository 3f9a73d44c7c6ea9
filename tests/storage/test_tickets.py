"""Tickets, their steps, visits and appointments come back whole; a problem has one open ticket, a car one visit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from storage import alerts, tickets, visits
from tickets.alert import Alert, AlertStatus
from tickets.ticket import Channel, ServiceTicket, TicketState, TicketTransition
from tickets.visit import Appointment, Visit, VisitState
from vehicle.finding import Severity

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
ALERT = Alert(UUID(int=1), "car", "tyre", "tyre_slow_leak", AlertStatus.OPEN, Severity.WARNING, 1, 1, NOW, NOW)
VISIT = Visit(UUID(int=2), "car", VisitState.PLANNED, Channel.MOBILE, NOW + timedelta(days=9), NOW)
TICKET = ServiceTicket(
    ticket_id=UUID(int=3),
    alert_id=ALERT.alert_id,
    visit_id=VISIT.visit_id,
    vehicle_id="car",
    component="tyre",
    failure_mode="tyre_slow_leak",
    severity=Severity.WARNING,
    title="Tyre leaks",
    action="Repair or replace",
    channel=Channel.MOBILE,
    parts=("valve", "tyre, 19 inch"),
    due_at=NOW + timedelta(days=9),
    state=TicketState.OPEN,
    created_at=NOW,
)
APPOINTMENT = Appointment(VISIT.visit_id, "A-1", "North", "Ada", NOW, NOW + timedelta(hours=1), NOW)


@pytest.fixture
def planned(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A database with the alert and the visit."""
    alerts.save(connection, ALERT)
    visits.save(connection, VISIT)
    return connection


def test_a_ticket_comes_back_whole(planned: psycopg.Connection[Any]) -> None:
    tickets.save(planned, TICKET)
    assert tickets.find(planned, TICKET.ticket_id) == TICKET
    assert tickets.find_open(planned, "car", "tyre", "tyre_slow_leak") == TICKET
    assert tickets.of_visit(planned, VISIT.visit_id) == [TICKET]
    assert tickets.list_tickets(planned, [TicketState.OPEN], "car") == [TICKET]
    assert tickets.list_tickets(planned, [TicketState.DONE]) == []
    assert tickets.find(planned, uuid4()) is None


def test_saving_again_leaves_the_state_to_the_steps(planned: psycopg.Connection[Any]) -> None:
    tickets.save(planned, TICKET)
    tickets.save(planned, replace(TICKET, severity=Severity.DANGER, state=TicketState.DONE))
    assert tickets.find(planned, TICKET.ticket_id) == replace(TICKET, severity=Severity.DANGER)


@pytest.mark.parametrize("state", [TicketState.OPEN, TicketState.BOOKED])
def test_a_problem_has_one_open_ticket(planned: psycopg.Connection[Any], state: TicketState) -> None:
    tickets.save(planned, replace(TICKET, state=state))
    with pytest.raises(psycopg.errors.UniqueViolation), planned.transaction():
        tickets.save(planned, replace(TICKET, ticket_id=uuid4()))
    tickets.save(planned, replace(TICKET, ticket_id=uuid4(), failure_mode="puncture"))


@pytest.mark.parametrize("state", [TicketState.DONE, TicketState.CANCELLED])
def test_a_closed_ticket_leaves_room_for_another(planned: psycopg.Connection[Any], state: TicketState) -> None:
    tickets.save(planned, replace(TICKET, state=state))
    tickets.save(planned, replace(TICKET, ticket_id=uuid4()))


def test_every_step_is_kept(planned: psycopg.Connection[Any]) -> None:
    made = TicketTransition(TICKET.ticket_id, NOW, None, TicketState.OPEN, "score 2")
    booked = TicketTransition(TICKET.ticket_id, NOW, TicketState.OPEN, TicketState.BOOKED, "A-1")
    tickets.save(planned, TICKET)
    tickets.move(planned, made)
    tickets.move(planned, booked)
    with pytest.raises(tickets.StaleTicketError):
        tickets.move(planned, booked)
    assert tickets.transitions(planned, TICKET.ticket_id) == [made, booked]
    assert tickets.find(planned, TICKET.ticket_id) == replace(TICKET, state=TicketState.BOOKED)


@pytest.mark.parametrize("state", [VisitState.PLANNED, VisitState.BOOKED])
def test_a_car_has_one_open_visit(connection: psycopg.Connection[Any], state: VisitState) -> None:
    visit = replace(VISIT, state=state)
    visits.save(connection, visit)
    assert visits.find_open(connection, "car") == visit
    with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
        visits.save(connection, replace(VISIT, visit_id=uuid4()))
    other = replace(VISIT, visit_id=uuid4(), vehicle_id="other", due_at=NOW)
    visits.save(connection, other)
    assert visits.list_visits(connection, [VisitState.PLANNED, VisitState.BOOKED]) == [other, visit]


def test_after_a_visit_comes_another(connection: psycopg.Connection[Any]) -> None:
    visits.save(connection, VISIT)
    visits.save(connection, replace(VISIT, state=VisitState.DONE))
    assert visits.find_open(connection, "car") is None
    visits.save(connection, replace(VISIT, visit_id=uuid4()))
    assert visits.find(connection, VISIT.visit_id) == replace(VISIT, state=VisitState.DONE)


def test_an_appointment_takes_the_place_of_the_one_before(planned: psycopg.Connection[Any]) -> None:
    assert visits.find_appointment(planned, VISIT.visit_id) is None
    visits.save_appointment(planned, APPOINTMENT)
    assert visits.find_appointment(planned, VISIT.visit_id) == APPOINTMENT
    moved = replace(APPOINTMENT, technician="Grace", revision=2)
    visits.save_appointment(planned, moved)
    assert visits.list_appointments(planned) == [moved]
