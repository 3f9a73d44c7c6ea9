from datetime import timedelta
from typing import Any

import psycopg
import pytest

from storage import findings
from storage.prognoses import Prognosis, latest_prognosis
from tests.support.a_visit import NOW, a_finding, an_alert
from vehicle.finding import RemainingUsefulLife

pytestmark = pytest.mark.integration


def life(days: float) -> RemainingUsefulLife:
    return RemainingUsefulLife(days / 2, days, days * 2)


def test_the_latest_finding_that_dates_the_failure_counts(connection: psycopg.Connection[Any]) -> None:
    for hours, days in ((0, 20.0), (2, 15.0), (4, None)):
        at = NOW + timedelta(hours=hours)
        findings.record(connection, a_finding(observed_at=at, remaining_useful_life=life(days) if days else None))
    alert = an_alert(opened_at=NOW)
    assert latest_prognosis(connection, alert) == Prognosis(NOW + timedelta(hours=2), life(15))


def test_what_was_said_before_the_alert_or_of_another_car_does_not_count(connection: psycopg.Connection[Any]) -> None:
    findings.record(connection, a_finding(observed_at=NOW - timedelta(days=9), remaining_useful_life=life(20)))
    findings.record(connection, a_finding(vehicle_id="veh-0002", remaining_useful_life=life(20)))
    assert latest_prognosis(connection, an_alert(opened_at=NOW)) is None
