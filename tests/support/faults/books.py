"""The account of visits that were to be booked: what was sent to the desk, and what it holds."""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from storage import tickets, visits
from tests.support.bad_server import Request
from tests.support.desk_process import DeskProcess
from tests.support.faults.memory import rss_mb
from tests.support.faults.report import ReportLine
from tests.support.pushing import Connection, booked, messages
from tickets.ticket import TicketState
from tickets.visit import BookingState, VisitState


@dataclass
class Books:
    """The account of one run, in messages to the desk: sent once or more, taken, and what came of them."""

    connection: Connection
    desk: DeskProcess
    record: Callable[[ReportLine], None]
    scenario: str
    seed: int
    restarts: int = 0
    began: float = field(default_factory=time.monotonic)

    def close(self, note: str) -> None:
        """Every visit is booked exactly once with all of its tickets, every message delivered."""
        sent = messages(self.connection)
        held = booked(self.connection, self.desk)
        planned = visits.list_visits(self.connection)
        per_visit = Counter(appointment["external_ref"] for appointment in held)
        line = ReportLine(
            self.scenario,
            self.seed,
            published=len(sent),
            acked=sum(message.state is BookingState.DELIVERED for message in sent),
            stored=len(held),
            quarantined=sum(message.state is BookingState.DEAD for message in sent),
            lost=len(planned) - len(per_visit),
            duplicated=len(held) - len(per_visit),
            restarts=self.restarts,
            seconds=time.monotonic() - self.began,
            rss_mb=rss_mb(os.getpid()),
            note=note,
        )
        self.record(line)
        assert (line.acked, line.quarantined, line.lost, line.duplicated) == (len(sent), 0, 0, 0), line
        assert {visit.state for visit in planned} == {VisitState.BOOKED}
        known = tickets.list_tickets(self.connection)
        assert {ticket.state for ticket in known} == {TicketState.BOOKED}
        on_site = [(a["external_ref"], ticket["id"]) for a in held for ticket in a["tickets"]]
        assert sorted(on_site) == sorted((str(ticket.visit_id), str(ticket.ticket_id)) for ticket in known)


def assert_one_key_a_message(requests: Sequence[Request]) -> None:
    """However often a message was sent, it was the same bytes under the same key."""
    pushed = [request for request in requests if request.method != "GET"]
    bodies: dict[str, set[bytes]] = {}
    for request in pushed:
        bodies.setdefault(request.headers["idempotency-key"], set()).add(request.body)
    assert all(len(of_one) == 1 for of_one in bodies.values())
    assert len(bodies) == len({body for of_one in bodies.values() for body in of_one})
