"""Visits that wait to be booked, the clock by which they are pushed, and what the desk holds of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from config.clock import Clock
from flows.order import open_tickets
from storage import alerts, outbox, visits
from tests.support.a_visit import CATALOGUE, an_alert
from tests.support.desk_process import DeskProcess
from tickets.alert import Alert
from tickets.booking import Patience
from tickets.visit import BookingMessage

Connection = psycopg.Connection[Any]
IMPATIENT = Patience(connect_s=0.5, read_s=0.5, total_s=1)


class SetClock:
    """The machine's clock, as a test sets it; begins a little ahead, so that what is made in the test is due."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC) + timedelta(minutes=1)

    def now(self) -> datetime:
        return self.at

    def advance(self, at: datetime) -> None:
        self.at = max(self.at, at)

    def wait(self, time: timedelta) -> None:
        self.at += time


def order(connection: Connection, clock: Clock, cars: int = 1, *more: Alert) -> None:
    """Open a ticket for a leaking tyre of so many cars, and for other alerts."""
    for number in range(cars):
        alerts.save(connection, an_alert(alert_id=UUID(int=number + 1), vehicle_id=f"veh-{number}"))
    for alert in more:
        alerts.save(connection, alert)
    open_tickets(connection, CATALOGUE, clock)


def messages(connection: Connection) -> list[BookingMessage]:
    """Everything that was ever to be sent, visit by visit in its order."""
    return [m for visit in visits.list_visits(connection) for m in outbox.of_visit(connection, visit.visit_id)]


def booked(connection: Connection, desk: DeskProcess) -> list[dict[str, Any]]:
    """What the desk holds of the visits in this database."""
    own = {str(visit.visit_id) for visit in visits.list_visits(connection)}
    return [appointment for appointment in desk.appointments() if appointment["external_ref"] in own]
