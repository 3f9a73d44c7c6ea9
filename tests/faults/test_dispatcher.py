"""Scenario 39: the dispatcher is killed between sending and noting, and two of them send at once."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import pytest

from flows.push import LEASE
from simulator.fault_modes import STORY
from tests.support.a_visit import an_alert
from tests.support.bad_server import BadServer, Request, bad_server, forward
from tests.support.desk_process import DeskProcess
from tests.support.faults.books import Books, assert_one_key_a_message
from tests.support.faults.form import Form
from tests.support.pushing import Connection, messages, order
from tickets.alert import Alert
from tickets.visit import BookingState
from vehicle.failure import FailureMode

pytestmark = pytest.mark.integration

CHECKOUT: Final = Path(__file__).parents[2]
PUSH: Final = """
import sys
from pathlib import Path
from config.clock import open_clock
from flows.push import push_visits
from tickets.booking import BookingDesk
push_visits(sys.argv[1], BookingDesk(sys.argv[2]), open_clock("data", Path(sys.argv[3])))
"""


class Dispatcher:
    """The push job, a process of its own, behind a desk of its own that can have it killed."""

    def __init__(self, database_url: str, desk: DeskProcess) -> None:
        self._database_url = database_url
        self._desk = desk
        self._process: subprocess.Popen[bytes] | None = None
        self.spared = -1
        """Requests until the one that kills who sends it; negative: none does."""
        self.heard = True
        """Whether the desk hears of that one."""

    def play(self, connection: socket.socket, request: Request) -> None:
        """Pass a request on, unless it is the one that kills."""
        self.spared -= 1
        if self.spared != -1:
            forward(self._desk.url)(connection, request)
        elif self.heard:
            forward(self._desk.url, lambda *_: self._kill())(connection, request)
        else:
            self._kill()

    def start(self, server: BadServer) -> None:
        """Run the job once."""
        arguments = [self._database_url, server.url, str(self._desk.folder)]
        self._process = subprocess.Popen([sys.executable, "-c", PUSH, *arguments], cwd=CHECKOUT)

    def wait(self) -> int:
        """Its exit code."""
        assert self._process is not None
        return self._process.wait(30)

    def _kill(self) -> None:
        assert self._process is not None
        self._process.kill()


@pytest.mark.scenario("39 kill -9 of the dispatcher", quick=1, full=4)
def test_the_dispatcher_is_killed(books: Books, database_url: str, form: Form) -> None:
    """Between sending and noting; then two of them send the rest at once."""
    connection, desk = books.connection, books.desk
    rng = np.random.default_rng(books.seed)
    first, second = Dispatcher(database_url, desk), Dispatcher(database_url, desk)
    kills = form.times(25, quick=2)
    with bad_server(first.play) as front, bad_server(second.play) as back:
        alerts = some_alerts()
        for part in np.array_split(rng.permutation(len(alerts)), kills):
            order(connection, desk.clock, 0, *(alerts[place] for place in part))
            due = sum(message.state is BookingState.PENDING for message in messages(connection))
            first.spared, first.heard = int(rng.integers(due)), bool(rng.integers(2))
            first.start(front)
            assert first.wait() == -signal.SIGKILL
            pass_leases(connection)
        # The desk's memory of the keys outlives it, too.
        desk.kill()
        desk.start()
        order(connection, desk.clock, cars=12)
        first.start(front)
        second.start(back)
        assert (first.wait(), second.wait()) == (0, 0)
        assert_one_key_a_message([*front.requests, *back.requests])
    books.restarts = kills
    books.close(f"{len(front.requests) + len(back.requests)} requests")


def some_alerts() -> list[Alert]:
    """Of cars that have all their trouble at once."""
    modes = [mode for mode in STORY if mode is not FailureMode.TYRE_SLOW_LEAK]
    return [an_alert(mode, alert_id=uuid4(), vehicle_id=f"veh-{number}") for number in range(10) for mode in modes]


def pass_leases(connection: Connection) -> None:
    """Let the time go by for which a killed dispatcher's message is still its own."""
    connection.execute("UPDATE booking_outbox SET leased_until = leased_until - %s", [LEASE])
