from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from config.clock import Clock, open_clock
from flows.order import OrderSummary, open_tickets
from simulator.fault_modes import STORY
from storage import alerts, findings, outbox, tickets, visits
from storage.connection import connect
from tests.support.a_visit import CATALOGUE, NOW, a_finding, an_alert
from tickets.alert import AlertStatus
from tickets.payload import decode
from tickets.states import move
from tickets.ticket import TicketState
from tickets.visit import Appointment, BookingKind, BookingState, VisitState
from vehicle.failure import FailureMode
from vehicle.finding import Severity

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]
CELLS = an_alert(FailureMode.WEAK_CELL_GROUP, locations=("V_2", "V_81"))


@pytest.fixture
def clock(tmp_path: Any) -> Clock:
    clock = open_clock("data", tmp_path)
    clock.advance(NOW)
    return clock


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as connection:
        yield connection


def order(connection: Connection, clock: Clock) -> OrderSummary:
    return open_tickets(connection, CATALOGUE, clock, "http://console")


def book(connection: Connection, visit_id: UUID, starts_at: timedelta) -> None:
    """As if the desk had answered."""
    visit = visits.find(connection, visit_id)
    assert visit
    visits.save(connection, replace(visit, state=VisitState.BOOKED))
    start = NOW + starts_at
    appointment = Appointment(visit_id, "A-1", "there", "", start, start + timedelta(hours=1), NOW)
    visits.save_appointment(connection, appointment)
    for message in outbox.of_visit(connection, visit_id):
        outbox.mark_delivered(connection, message.message_id, 201)
    for ticket in tickets.of_visit(connection, visit_id):
        tickets.move(connection, move(ticket, TicketState.BOOKED, NOW, "booked")[1])


def test_sure_alerts_become_tickets_in_one_visit_with_one_message(connection: Connection, clock: Clock) -> None:
    finding_id = findings.record(connection, a_finding())
    alerts.save(connection, an_alert(latest_finding_id=finding_id, locations=("fl",)))
    alerts.save(connection, CELLS)
    alerts.save(connection, an_alert(FailureMode.COOLANT_PUMP_WEAK, confidence=0.1))
    summary = order(connection, clock)
    assert (summary.tickets_opened, summary.messages) == (2, 1)
    assert asdict(summary)["waiting"] == {"uncertain": 1}
    [visit] = visits.list_visits(connection)
    made = tickets.of_visit(connection, visit.visit_id)
    assert {ticket.state for ticket in made} == {TicketState.OPEN}
    assert len(tickets.transitions(connection, made[0].ticket_id)) == 1
    [message] = outbox.of_visit(connection, visit.visit_id)
    payload = decode(message.body)
    assert (message.kind, payload.revision, payload.channel) == (BookingKind.CREATE, 1, "service_centre")
    tyre = next(ticket for ticket in payload.tickets if ticket.component == "tyre")
    assert tyre.evidence == a_finding().evidence.summary
    assert tyre.link == f"http://console/tickets/{tyre.id}"
    statuses = {alert.failure_mode: alert.status for alert in alerts.list_alerts(connection)}
    assert statuses["tyre_slow_leak"] is AlertStatus.CONFIRMED
    assert statuses["coolant_pump_weak"] is AlertStatus.OPEN


def test_a_second_run_changes_nothing(connection: Connection, clock: Clock) -> None:
    alerts.save(connection, CELLS)
    order(connection, clock)
    before = tickets.list_tickets(connection)
    clock.advance(NOW + timedelta(hours=1))
    assert order(connection, clock) == OrderSummary()
    assert tickets.list_tickets(connection) == before


def test_only_the_cars_that_are_named_get_tickets(connection: Connection, clock: Clock) -> None:
    other = replace(CELLS, alert_id=uuid4(), vehicle_id="car-9")
    for alert in (CELLS, other):
        alerts.save(connection, alert)
    named = open_tickets(connection, CATALOGUE, clock, vehicles=["car-9", "car-without-alerts"])
    assert (named.tickets_opened, [one.vehicle_id for one in tickets.list_tickets(connection)]) == (1, ["car-9"])
    assert order(connection, clock).tickets_opened == 1


def test_runs_at_once_make_one_ticket_per_problem(database_url: str, connection: Connection, clock: Clock) -> None:
    for number in range(10):
        for mode in STORY:
            alert_id = UUID(int=1000 * number + len(mode) + ord(mode[0]))
            alerts.save(connection, an_alert(mode, alert_id=alert_id, vehicle_id=f"veh-{number}"))

    def run(_: int) -> int:
        with connect(database_url) as own:
            return order(own, clock).tickets_opened

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 60
    assert len(tickets.list_tickets(connection)) == 60
    assert len(visits.list_visits(connection)) == 10
    assert all(len(outbox.of_visit(connection, visit.visit_id)) == 1 for visit in visits.list_visits(connection))


def test_a_new_problem_joins_the_visit_before_its_appointment(connection: Connection, clock: Clock) -> None:
    alerts.save(connection, an_alert())
    order(connection, clock)
    [visit] = visits.list_visits(connection)
    book(connection, visit.visit_id, timedelta(days=2))
    alerts.save(connection, CELLS)
    assert order(connection, clock).messages == 1
    [same] = visits.list_visits(connection)
    assert (same.visit_id, same.state) == (visit.visit_id, VisitState.BOOKED)
    _, update = outbox.of_visit(connection, visit.visit_id)
    payload = decode(update.body)
    assert (update.kind, payload.revision, len(payload.tickets)) == (BookingKind.UPDATE, 2, 2)
    assert payload.channel == "service_centre"


def test_after_the_appointment_has_begun_a_new_problem_gets_a_visit_of_its_own(
    connection: Connection, clock: Clock
) -> None:
    alerts.save(connection, an_alert())
    order(connection, clock)
    [visit] = visits.list_visits(connection)
    book(connection, visit.visit_id, timedelta(days=1))
    clock.advance(NOW + timedelta(days=1))
    alerts.save(connection, CELLS)
    order(connection, clock)
    states = {found.visit_id: found.state for found in visits.list_visits(connection)}
    assert len(states) == 2
    assert states[visit.visit_id] is VisitState.IN_PROGRESS
    by_mode = {ticket.failure_mode: ticket for ticket in tickets.list_tickets(connection)}
    assert by_mode["tyre_slow_leak"].state is TicketState.IN_PROGRESS
    assert by_mode["weak_cell_group"].state is TicketState.OPEN
    assert by_mode["weak_cell_group"].visit_id != visit.visit_id


def test_a_ticket_that_missed_its_appointment_moves_to_the_next_visit(connection: Connection, clock: Clock) -> None:
    alerts.save(connection, an_alert())
    order(connection, clock)
    [visit] = visits.list_visits(connection)
    book(connection, visit.visit_id, timedelta(days=1))
    alerts.save(connection, CELLS)
    order(connection, clock)  # its update is never delivered
    clock.advance(NOW + timedelta(days=1))
    assert order(connection, clock).messages == 1
    by_mode = {ticket.failure_mode: ticket for ticket in tickets.list_tickets(connection)}
    assert by_mode["weak_cell_group"].visit_id != visit.visit_id
    assert outbox.of_visit(connection, visit.visit_id)[1].state is BookingState.DEAD
    assert [m.kind for m in outbox.of_visit(connection, by_mode["weak_cell_group"].visit_id)] == [BookingKind.CREATE]


def test_a_worse_alert_raises_ticket_and_visit(connection: Connection, clock: Clock) -> None:
    alerts.save(connection, CELLS)
    order(connection, clock)
    [alert] = alerts.list_alerts(connection)
    alerts.save(connection, replace(alert, severity=Severity.DANGER))
    summary = order(connection, clock)
    assert (summary.tickets_opened, summary.tickets_changed, summary.messages) == (0, 1, 1)
    [visit] = visits.list_visits(connection)
    assert decode(outbox.of_visit(connection, visit.visit_id)[1].body).channel == "tow"


def test_a_failing_car_leaves_nothing_half_done_and_an_outer_transaction_is_respected(
    connection: Connection, clock: Clock
) -> None:
    alerts.save(connection, CELLS)
    with connection.transaction(force_rollback=True):
        assert order(connection, clock).tickets_opened == 1
    assert not tickets.list_tickets(connection)
    assert not visits.list_visits(connection)
