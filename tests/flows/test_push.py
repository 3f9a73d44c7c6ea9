from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from flows.push import HALT, REST, push_visits
from storage import outbox, tickets, visits
from storage.connection import connect
from tests.support.a_visit import NOW, an_alert
from tests.support.bad_server import answer, bad_server, forward
from tests.support.desk_process import DeskProcess, desk_process
from tests.support.pushing import Connection, SetClock, booked, messages, order
from tickets.booking import BookingDesk
from tickets.ticket import TicketState
from tickets.visit import BookingKind, BookingState, VisitState
from vehicle.failure import FailureMode

pytestmark = pytest.mark.integration


@pytest.fixture
def wall() -> SetClock:
    return SetClock()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    """One desk for all tests here: visits have ids of their own."""
    with desk_process(tmp_path_factory.mktemp("desk")) as desk:
        desk.clock.advance(NOW)
        yield desk


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as connection:
        yield connection


def test_a_visit_gets_its_appointment(database_url: str, connection: Connection, desk: DeskProcess) -> None:
    order(connection, desk.clock)
    summary = push_visits(database_url, BookingDesk(desk.url), desk.clock)
    assert (summary.delivered, summary.tried_again, summary.dead, summary.halted) == (1, 0, 0, "")
    [visit] = visits.list_visits(connection)
    assert visit.state is VisitState.BOOKED
    [appointment] = visits.list_appointments(connection)
    [held] = booked(connection, desk)
    assert (appointment.external_ref, appointment.place) == (held["id"], held["place"])
    assert appointment.starts_at == datetime.fromisoformat(held["start_at"]) > desk.clock.now()
    assert appointment.booked_at == desk.clock.now()
    [ticket] = tickets.list_tickets(connection)
    assert ticket.state is TicketState.BOOKED
    steps = tickets.transitions(connection, ticket.ticket_id)
    assert [(step.before, step.after) for step in steps] == [(None, "open"), ("open", "booked")]
    assert push_visits(database_url, BookingDesk(desk.url), desk.clock).delivered == 0


def test_create_and_update_arrive_in_their_order(
    database_url: str, connection: Connection, desk: DeskProcess, wall: SetClock
) -> None:
    order(connection, desk.clock)
    cells = an_alert(FailureMode.WEAK_CELL_GROUP, vehicle_id="veh-0")
    order(connection, desk.clock, 0, cells)
    with bad_server(answer(500), forward(desk.url)) as server:
        moody = BookingDesk(server.url)
        assert push_visits(database_url, moody, desk.clock, wall).tried_again == 1
        wall.wait(timedelta(seconds=6))
        assert push_visits(database_url, moody, desk.clock, wall).delivered == 2
    assert [request.method for request in server.requests] == ["POST", "POST", "PUT"]
    assert server.requests[0].headers["idempotency-key"] == server.requests[1].headers["idempotency-key"]
    assert server.requests[0].body == server.requests[1].body
    [held] = booked(connection, desk)
    assert (held["revision"], held["channel"], len(held["tickets"])) == (2, "service_centre", 2)
    assert visits.list_appointments(connection)[0].revision == 2
    assert {ticket.state for ticket in tickets.list_tickets(connection)} == {TicketState.BOOKED}


def test_an_update_that_comes_too_late_leaves_its_ticket_for_another_visit(
    database_url: str, connection: Connection, desk: DeskProcess
) -> None:
    order(connection, desk.clock)
    push_visits(database_url, BookingDesk(desk.url), desk.clock)
    order(connection, desk.clock, 0, an_alert(FailureMode.WEAK_CELL_GROUP, vehicle_id="veh-0"))
    [appointment] = visits.list_appointments(connection)
    desk.clock.advance(appointment.starts_at)
    assert push_visits(database_url, BookingDesk(desk.url), desk.clock).dead == 1
    order(connection, desk.clock, 0)
    assert push_visits(database_url, BookingDesk(desk.url), desk.clock).delivered == 1
    held = [ticket["id"] for appointment in booked(connection, desk) for ticket in appointment["tickets"]]
    assert sorted(held) == sorted(str(ticket.ticket_id) for ticket in tickets.list_tickets(connection))
    assert [visit.state for visit in visits.list_visits(connection)].count(VisitState.IN_PROGRESS) == 1


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refused_visit_is_dead_with_its_reason_and_the_next_goes_on(
    database_url: str, connection: Connection, desk: DeskProcess, status: int
) -> None:
    order(connection, desk.clock, cars=2)
    body = b'{"error": {"code": "invalid", "message": "wrong or missing: due_at"}}'
    with bad_server(answer(status, body), forward(desk.url)) as server:
        summary = push_visits(database_url, BookingDesk(server.url), desk.clock)
    assert (summary.dead, summary.delivered) == (1, 1)
    [dead] = outbox.list_dead(connection)
    assert (dead.last_status, dead.last_error) == (status, f"HTTP {status} wrong or missing: due_at")


def test_a_message_to_cancel_changes_no_appointment(
    database_url: str, connection: Connection, desk: DeskProcess
) -> None:
    order(connection, desk.clock)
    push_visits(database_url, BookingDesk(desk.url), desk.clock)
    [sent] = messages(connection)
    cancel = replace(sent, message_id=UUID(int=9), kind=BookingKind.CANCEL, state=BookingState.PENDING, attempts=0)
    outbox.add(connection, cancel)
    held = booked(connection, desk)
    assert push_visits(database_url, BookingDesk(desk.url), desk.clock).dead == 1
    assert booked(connection, desk) == held


def test_a_desk_that_shuts_us_out_burns_no_attempts(
    database_url: str, connection: Connection, desk: DeskProcess, wall: SetClock
) -> None:
    order(connection, desk.clock, cars=3)
    with bad_server(answer(401)) as server:
        for _ in range(20):
            push_visits(database_url, BookingDesk(server.url), desk.clock, wall)
            wall.wait(HALT)
        assert len(server.requests) == 20
    assert {message.attempts for message in messages(connection)} == {0}
    assert push_visits(database_url, BookingDesk(desk.url), desk.clock, wall).delivered == 3


def test_a_desk_that_fails_again_and_again_is_left_alone(
    database_url: str, connection: Connection, desk: DeskProcess, wall: SetClock
) -> None:
    order(connection, desk.clock, cars=8)
    with bad_server(answer(500)) as server:
        assert "500" in push_visits(database_url, BookingDesk(server.url), desk.clock, wall).halted
        assert len(server.requests) == 5
        wall.wait(REST - timedelta(seconds=1))
        push_visits(database_url, BookingDesk(server.url), desk.clock, wall)
        assert len(server.requests) == 5


def test_out_of_attempts_a_message_waits_for_a_person(
    database_url: str, connection: Connection, desk: DeskProcess, wall: SetClock
) -> None:
    order(connection, desk.clock)
    with bad_server(answer(500)) as server:
        for _ in range(12):
            push_visits(database_url, BookingDesk(server.url), desk.clock, wall)
            wall.wait(timedelta(days=2))
        assert [request.method for request in server.requests].count("POST") == 1  # later it looks first
    [dead] = outbox.list_dead(connection)
    assert (dead.attempts, dead.last_error) == (10, "out of attempts: HTTP 500")


def test_after_a_day_it_looks_before_it_sends(
    database_url: str, connection: Connection, desk: DeskProcess, wall: SetClock
) -> None:
    order(connection, desk.clock)
    with bad_server(forward(desk.url, answer(500)), forward(desk.url)) as server:
        push_visits(database_url, BookingDesk(server.url), desk.clock, wall)
        wall.wait(timedelta(days=1))
        assert push_visits(database_url, BookingDesk(server.url), desk.clock, wall).delivered == 1
    assert [request.method for request in server.requests] == ["POST", "GET"]
    assert len(booked(connection, desk)) == 1


def test_a_car_forgotten_meanwhile_does_no_harm(database_url: str, connection: Connection, desk: DeskProcess) -> None:
    order(connection, desk.clock)

    class Forgetful(BookingDesk):
        def create(self, key: str, body: bytes) -> Any:
            result = super().create(key, body)
            connection.execute("DELETE FROM visits")
            return result

    assert push_visits(database_url, Forgetful(desk.url), desk.clock).delivered == 1
    assert not visits.list_appointments(connection)
