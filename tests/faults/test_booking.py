"""Scenarios 37 and 38: the booking desk is away, or answers badly: each visit is booked once."""

import os
from datetime import timedelta
from typing import Final
from uuid import uuid4

import numpy as np
import pytest

from flows.push import push_visits
from storage import outbox, tickets
from tests.support.a_visit import an_alert
from tests.support.bad_server import (
    BadServer,
    Script,
    answer,
    bad_server,
    cut,
    drip,
    flood,
    forward,
    hang,
    slam,
)
from tests.support.desk_process import DeskProcess
from tests.support.faults.books import Books, assert_one_key_a_message
from tests.support.faults.form import Form
from tests.support.faults.memory import rss_mb
from tests.support.pushing import IMPATIENT, Connection, SetClock, messages, order
from tickets.booking import BookingDesk
from tickets.visit import BookingState
from vehicle.failure import FailureMode

pytestmark = pytest.mark.integration

MOST_READ_BYTES: Final = 20 * 1024 * 1024
"""What the sockets' buffers may take of a body without end."""
MOST_MB_MORE: Final = 100


@pytest.mark.scenario("37 desk away for an hour", quick=1, full=3)
def test_the_desk_is_away_while_tickets_are_made(books: Books, database_url: str, form: Form) -> None:
    """200 tickets in 130 visits, 70 of which change while they wait."""
    wall, desk, connection = SetClock(), books.desk, books.connection
    booking = BookingDesk(desk.url)
    cars, changes = form.times(130, quick=12), form.times(70, quick=8)
    tyres = [an_alert(alert_id=uuid4(), vehicle_id=f"veh-{number}") for number in range(cars)]
    chosen = np.random.default_rng(books.seed).permutation(cars)[:changes]
    cells = [an_alert(FailureMode.WEAK_CELL_GROUP, alert_id=uuid4(), vehicle_id=f"veh-{number}") for number in chosen]
    desk.kill()
    try:
        for made in (tyres[::2], tyres[1::2], cells):
            order(connection, desk.clock, 0, *made)
            for _ in range(5):
                push_visits(database_url, booking, desk.clock, wall)
                wall.wait(timedelta(minutes=4))
        assert {message.state for message in messages(connection)} == {BookingState.PENDING}
    finally:
        desk.start()
    for _ in range(10):
        push_visits(database_url, booking, desk.clock, wall)
        wall.wait(timedelta(minutes=30))
    assert len(tickets.list_tickets(connection)) == cars + changes
    assert max(message.attempts for message in messages(connection)) <= 5
    # A change that had overtaken its visit would have been refused.
    books.close(f"{cars + changes} tickets")


@pytest.mark.scenario("38 desk answers badly", quick=1, full=20)
def test_the_desk_answers_badly(books: Books, database_url: str) -> None:
    """Every mood in random order, each before a good answer; what a person must see is sent again by one."""
    desk, connection = books.desk, books.connection
    order(connection, desk.clock, cars=14)
    sent: list[int] = []
    before_mb = rss_mb(os.getpid())
    with bad_server(answer(200)) as target:
        moods = bad_moods(desk.url, f"{target.url}/api/v1/appointments", sent)
        shuffled = [moods[place] for place in np.random.default_rng(books.seed).permutation(len(moods))]
        with bad_server(*(script for mood in shuffled for script in (mood, forward(desk.url)))) as server:
            refused = push_until_delivered(connection, database_url, server, desk)
        assert not target.requests
    # None, if that answer met a message of which the desk had taken note before.
    assert refused <= 1
    assert len(server.requests) > len(moods)
    assert sum(sent) < MOST_READ_BYTES
    assert rss_mb(os.getpid()) < before_mb + MOST_MB_MORE
    assert_one_key_a_message(server.requests)
    books.close(f"{len(moods)} moods, {len(server.requests)} requests")


def bad_moods(desk_url: str, elsewhere: str, sent: list[int]) -> list[Script]:
    """Without the deed, or with the deed but without its proper answer."""
    problem = b'{"error": {"code": "%s", "message": ""}}'
    return [
        hang(1.5),
        drip(b"HTTP/1.1 201 X\r\n" + b"x" * 100, 0.05),
        forward(desk_url, hang(1.5)),
        forward(desk_url, answer(500)),
        forward(desk_url, answer(200, b"<html>", Content_Type="text/html")),
        forward(desk_url, cut),
        forward(desk_url, flood(200, 1000, sent)),
        forward(desk_url, answer(409, problem % b"already_booked")),
        answer(500),
        answer(503, Retry_After="120"),
        answer(429, Retry_After="30"),
        answer(409, problem % b"key_in_progress"),
        answer(409, problem % b"already_booked"),
        answer(301, Location=elsewhere),
        slam,
    ]


def push_until_delivered(connection: Connection, database_url: str, server: BadServer, desk: DeskProcess) -> int:
    """Push again and again, as the schedule does; how many messages a person had to send again."""
    wall, booking, refused = SetClock(), BookingDesk(server.url, IMPATIENT), 0
    held_until = wall.now()
    for _ in range(100):
        before = len(server.requests)
        summary = push_visits(database_url, booking, desk.clock, wall)
        assert before == len(server.requests) or wall.now() >= held_until, "asked within Retry-After"
        for status, held in (("503", 120), ("429", 30)):
            if status in summary.halted:
                held_until = wall.now() + timedelta(seconds=held)
        for dead in outbox.list_dead(connection):
            refused += 1
            outbox.revive(connection, dead.message_id, wall.now())
        wall.wait(timedelta(seconds=20))
        if {message.state for message in messages(connection)} == {BookingState.DELIVERED}:
            return refused
        if not summary.delivered and not summary.tried_again:
            wall.wait(timedelta(minutes=5))
    pytest.fail("not delivered after 100 runs")
