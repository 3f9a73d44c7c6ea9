"""A service that is due becomes a ticket, and ends once it is reported."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from config.clock import Clock, open_clock
from flows.diagnose import diagnose
from flows.order import open_tickets
from storage import alerts, silences, tickets, vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from tickets.catalogue import load_catalogue
from tickets.silence import Lift, Silence, SilenceKind
from vehicle.moment import instant

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CAR = "car-1"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        facts = {"serviced_at": START - 200 * DAY, "serviced_km": 40_000.0}
        vehicles.register(opened, a_vehicle(vehicle_id=CAR, **facts))
        opened.commit()
        yield opened


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    clock = open_clock("data", tmp_path)
    clock.advance(START + 100 * DAY)
    return clock


def drive(connection: Connection, day: int, odometer_km: float) -> None:
    """A day's samples every two hours, sent two minutes after its end."""
    times = instant(START + day * DAY) + np.arange(12) * np.timedelta64(2, "h")
    sent_at = START + (day + 1) * DAY + timedelta(minutes=2)
    key = BatchKey(CAR, "00000000000000a1", day + 1)
    store_batch(connection, key, times, {"odometer_km": np.full(12, odometer_km)}, sent_at)


@pytest.mark.parametrize("by_stay", [True, False])
def test_it_is_ordered_ahead_and_ends_with_the_report(connection: Connection, clock: Clock, *, by_stay: bool) -> None:
    for day, odometer_km in enumerate([58_400.0, 58_450.0, 58_510.0]):
        drive(connection, day, odometer_km)
    assert diagnose(connection, clock).findings == 1
    with connection.transaction():
        (alert,) = alerts.list_alerts(connection)
        open_tickets(connection, load_catalogue(), clock)
        (ticket,) = tickets.list_tickets(connection)
        assert (alert.component, alert.failure_mode) == ("maintenance", "service_due")
        assert (ticket.title, ticket.channel) == ("Service is due", "service_centre")
        if by_stay:
            stay = Silence(
                0, SilenceKind.WORKSHOP, START + 3 * DAY, START + 4 * DAY, "K. Berg", "service", START, vehicle_id=CAR
            )
            number = silences.add(connection, stay).silence_id
            silences.lift(connection, Lift(number, START + 3.5 * DAY, "K. Berg", "done", ("maintenance",)))
        else:
            vehicles.record_service(connection, CAR, START + 3.5 * DAY, 58_515.0)
    drive(connection, 4, 58_520.0)
    assert diagnose(connection, clock).findings == 1
    with connection.transaction():
        (alert,) = alerts.list_alerts(connection)
        assert alert.cleared_at == START + 4 * DAY + timedelta(hours=22)
        registered = vehicles.find(connection, CAR)
        assert registered
        assert registered.serviced_km == pytest.approx(58_510.0 if by_stay else 58_515.0)
