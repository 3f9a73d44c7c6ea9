"""Messages are leased to one dispatcher at a time, in the order of their visit."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from storage import outbox, visits
from storage.connection import connect
from tickets.ticket import Channel
from tickets.visit import BookingKind, BookingMessage, BookingState, Visit, VisitState

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)


@pytest.fixture
def first(connection: psycopg.Connection[Any]) -> BookingMessage:
    """The creation of a visit, due."""
    return create(connection, "car")


def create(connection: psycopg.Connection[Any], car: str) -> BookingMessage:
    visit_id = uuid4()
    visits.save(connection, Visit(visit_id, car, VisitState.PLANNED, Channel.MOBILE, NOW, NOW))
    return send(connection, visit_id, BookingKind.CREATE)


def send(connection: psycopg.Connection[Any], visit_id: UUID, kind: BookingKind) -> BookingMessage:
    message = BookingMessage(uuid4(), visit_id, kind, b"{\0}", NOW, NOW)
    outbox.add(connection, message)
    return message


def due(connection: psycopg.Connection[Any], now: datetime = NOW) -> list[UUID]:
    return [message.message_id for message in outbox.lease_due(connection, now, LEASE)]


def test_a_message_comes_back_as_it_was_put(connection: psycopg.Connection[Any], first: BookingMessage) -> None:
    assert outbox.of_visit(connection, first.visit_id) == [first]
    with pytest.raises(psycopg.errors.UniqueViolation):
        outbox.add(connection, first)


def test_two_dispatchers_never_take_the_same(database_url: str) -> None:
    with connect(database_url) as one, connect(database_url) as other:
        messages = {create(one, f"car{number}").message_id for number in range(5)}
        one.commit()
        mine = [message.message_id for message in outbox.lease_due(one, NOW, LEASE, limit=3)]
        # The first has not committed: the second passes over its rows instead of waiting for them.
        theirs = due(other)
        assert (len(mine), len(theirs)) == (3, 2)
        assert {*mine, *theirs} == messages
        one.commit()
        other.commit()
        assert due(one) == due(other) == []


def test_a_lease_ends(connection: psycopg.Connection[Any], first: BookingMessage) -> None:
    (leased,) = outbox.lease_due(connection, NOW, LEASE)
    assert (leased.attempts, leased.leased_until, leased.body) == (1, NOW + LEASE, first.body)
    assert due(connection, NOW + LEASE - timedelta(microseconds=1)) == []
    (again,) = outbox.lease_due(connection, NOW + LEASE, LEASE)
    assert (again.message_id, again.attempts) == (first.message_id, 2)


def test_an_update_never_overtakes_its_creation(connection: psycopg.Connection[Any], first: BookingMessage) -> None:
    update = send(connection, first.visit_id, BookingKind.UPDATE)
    assert due(connection) == [first.message_id]
    assert due(connection) == []
    retry_at = NOW + timedelta(minutes=5)
    outbox.mark_retry(connection, first.message_id, retry_at, 503, "busy")
    assert due(connection) == []
    assert due(connection, retry_at) == [first.message_id]
    outbox.mark_delivered(connection, first.message_id, 201)
    assert due(connection, retry_at) == [update.message_id]


def test_a_dead_creation_holds_its_visit_until_a_person_acts(
    connection: psycopg.Connection[Any], first: BookingMessage
) -> None:
    send(connection, first.visit_id, BookingKind.UPDATE)
    other = create(connection, "other")
    outbox.mark_dead(connection, first.message_id, 422, "no such place")
    assert due(connection) == [other.message_id]
    (dead,) = outbox.list_dead(connection)
    assert (dead.message_id, dead.state, dead.last_status) == (first.message_id, BookingState.DEAD, 422)
    assert dead.last_error == "no such place"
    outbox.revive(connection, first.message_id, NOW)
    assert due(connection) == [first.message_id]


def test_nothing_is_sent_while_the_booking_system_is_left_alone(
    connection: psycopg.Connection[Any], first: BookingMessage
) -> None:
    until = NOW + timedelta(minutes=2)
    outbox.hold(connection, until)
    outbox.hold(connection, NOW + timedelta(minutes=1))
    outbox.mark_dead(connection, first.message_id, 409, "")
    outbox.revive(connection, first.message_id, NOW)
    later = create(connection, "other")
    assert due(connection, until - timedelta(seconds=1)) == []
    assert due(connection, until) == [first.message_id, later.message_id]


def test_a_dead_update_lets_the_next_pass(connection: psycopg.Connection[Any], first: BookingMessage) -> None:
    outbox.mark_delivered(connection, first.message_id, 201)
    update = send(connection, first.visit_id, BookingKind.UPDATE)
    cancel = send(connection, first.visit_id, BookingKind.CANCEL)
    outbox.mark_dead(connection, update.message_id, 422, "")
    assert due(connection) == [cancel.message_id]


def test_an_answer_that_comes_too_late_changes_nothing(
    connection: psycopg.Connection[Any], first: BookingMessage
) -> None:
    outbox.mark_delivered(connection, first.message_id, 201)
    outbox.mark_retry(connection, first.message_id, NOW, None, "timeout")
    outbox.mark_dead(connection, first.message_id, 422, "")
    outbox.revive(connection, first.message_id, NOW)
    assert due(connection) == []
    assert [message.state for message in outbox.of_visit(connection, first.visit_id)] == [BookingState.DELIVERED]
