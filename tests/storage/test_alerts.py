"""Alerts come back whole; a problem has one open alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from storage import alerts
from tickets.alert import Alert, AlertStatus
from vehicle.finding import RemainingUsefulLife, Severity

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
ALERT = Alert(
    alert_id=UUID(int=1),
    vehicle_id="car",
    component="tyre",
    failure_mode="tyre_slow_leak",
    status=AlertStatus.OPEN,
    severity=Severity.WARNING,
    score=1.2,
    confidence=0.8,
    opened_at=NOW,
    last_seen_at=NOW,
    finding_count=3,
    locations=("fl", "rr"),
    remaining_useful_life=RemainingUsefulLife(1, 2, 3.5),
)


def test_an_alert_comes_back_as_it_was_saved_last(connection: psycopg.Connection[Any]) -> None:
    alerts.save(connection, ALERT)
    assert alerts.find(connection, ALERT.alert_id) == ALERT
    worse = replace(ALERT, severity=Severity.DANGER, status=AlertStatus.CONFIRMED, cleared_at=NOW)
    alerts.save(connection, worse)
    assert alerts.find(connection, ALERT.alert_id) == worse
    assert alerts.find_open(connection, "car", "tyre", "tyre_slow_leak") == worse
    assert alerts.find(connection, UUID(int=2)) is None


@pytest.mark.parametrize("status", [AlertStatus.OPEN, AlertStatus.CONFIRMED])
def test_a_problem_has_one_open_alert(connection: psycopg.Connection[Any], status: AlertStatus) -> None:
    alerts.save(connection, replace(ALERT, status=status))
    with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
        alerts.save(connection, replace(ALERT, alert_id=uuid4()))
    alerts.save(connection, replace(ALERT, alert_id=uuid4(), vehicle_id="other"))


@pytest.mark.parametrize("status", [AlertStatus.DISMISSED, AlertStatus.RESOLVED])
def test_a_closed_one_leaves_room_for_another(connection: psycopg.Connection[Any], status: AlertStatus) -> None:
    alerts.save(connection, replace(ALERT, status=status))
    assert alerts.find_open(connection, "car", "tyre", "tyre_slow_leak") is None
    alerts.save(connection, replace(ALERT, alert_id=uuid4()))


def test_the_worst_comes_first(connection: psycopg.Connection[Any]) -> None:
    mild = replace(ALERT, alert_id=uuid4(), vehicle_id="a", last_seen_at=NOW + timedelta(days=1))
    bad = replace(ALERT, alert_id=uuid4(), vehicle_id="b", severity=Severity.DANGER)
    gone = replace(ALERT, alert_id=uuid4(), vehicle_id="c", status=AlertStatus.RESOLVED)
    for alert in (gone, ALERT, mild, bad):
        alerts.save(connection, alert)
    assert alerts.list_alerts(connection, [AlertStatus.OPEN]) == [bad, mild, ALERT]
    assert alerts.list_alerts(connection, vehicle_id="c") == [gone]
    assert len(alerts.list_alerts(connection)) == 4
