"""Software versions as they are entered or told, beside the registry."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import events, software, vehicles
from vehicle.batch import Event, EventBatch, EventKind
from vehicle.software import SoftwareVersion
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD, NEW = SoftwareVersion(NOW - timedelta(days=9), "2026.4"), SoftwareVersion(NOW, "2026.8.1")
CAR = VehicleRecord("car", NOW, vin="1M8GDM9AXKP042788", software=(OLD,))


@pytest.fixture
def registered(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    vehicles.register(connection, CAR)
    vehicles.register(connection, VehicleRecord("other", NOW))
    return connection


def test_a_vehicle_is_found_with_its_timeline(registered: psycopg.Connection[Any]) -> None:
    corrected = SoftwareVersion(OLD.since, "2026.5")
    for one in (NEW, OLD, corrected):
        software.enter(registered, "car", one, NOW)
    expected = (corrected, NEW)
    found = vehicles.find(registered, "car"), vehicles.find_vin(registered, str(CAR.vin))
    assert [one.software for one in found if one] == [expected, expected]
    assert [one.software for one in vehicles.list_vehicles(registered)] == [expected, ()]
    assert [one for _, one in software.entries(registered, "car")] == [OLD, NEW, OLD, corrected]


def test_what_is_entered_shows_as_a_change_of_that_vehicle(registered: psycopg.Connection[Any]) -> None:
    known = vehicles.list_vehicles(registered)
    before = software.latest_entry(registered)
    assert software.changed(registered, known) == set()
    software.enter(registered, "car", NEW, NOW)
    assert software.latest_entry(registered) > before
    assert software.changed(registered, known) == {"car"}


def test_of_what_a_vehicle_tells_only_news_is_entered(registered: psycopg.Connection[Any]) -> None:
    def tell(number: int, *told: SoftwareVersion, vehicle_id: str = "car") -> None:
        happened = tuple(Event(one.since, EventKind.SOFTWARE, None, {"firmware_version": one.version}) for one in told)
        events.record(registered, [EventBatch(vehicle_id, "00000000000000a1", number, NOW, happened)], NOW + HOUR)

    again = SoftwareVersion(NOW + HOUR, NEW.version)
    tell(1, again, NEW, SoftwareVersion(OLD.since + HOUR, OLD.version))
    assert software.entries(registered, "car") == [(NOW, OLD), (NOW + HOUR, NEW)]
    assert len(events.read(registered, "car", OLD.since, NOW + 2 * HOUR)) == 3
    late = SoftwareVersion(NEW.since - HOUR, "2026.6")
    tell(2, late)
    tell(3, NEW, vehicle_id="unknown")
    assert [one.software for one in vehicles.list_vehicles(registered)] == [(OLD, late, NEW), ()]


def test_registering_again_keeps_the_timeline(registered: psycopg.Connection[Any]) -> None:
    vehicles.register(registered, VehicleRecord("car", NOW, vin=CAR.vin))
    assert vehicles.find(registered, "car") == CAR
