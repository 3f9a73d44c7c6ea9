from typing import Any

import psycopg
import pytest

from storage import alerts, decisions
from storage.decisions import Decision, StaleAlertError, Verdict
from tests.support.a_visit import NOW, an_alert
from tickets.alert import AlertStatus

pytestmark = pytest.mark.integration
ALERT = an_alert()
DISMISSAL = Decision(ALERT.alert_id, NOW, "K. Berg", Verdict.DISMISS, "the sensor is wrong")


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.CONFIRM, AlertStatus.CONFIRMED), (Verdict.DISMISS, AlertStatus.DISMISSED)]
)
def test_decide_settles_the_alert_and_keeps_who_and_why(
    connection: psycopg.Connection[Any], verdict: Verdict, status: AlertStatus
) -> None:
    alerts.save(connection, ALERT)
    decision = Decision(ALERT.alert_id, NOW, "K. Berg", verdict, "seen on the car")
    decisions.decide(connection, decision)
    settled = alerts.find(connection, ALERT.alert_id)
    assert settled is not None
    assert settled.status is status
    assert decisions.of_alert(connection, ALERT.alert_id) == [decision]


def test_decide_twice_changes_nothing_the_second_time(connection: psycopg.Connection[Any]) -> None:
    alerts.save(connection, ALERT)
    decisions.decide(connection, DISMISSAL)
    with pytest.raises(StaleAlertError, match="is not open"):
        decisions.decide(connection, Decision(ALERT.alert_id, NOW, "other", Verdict.CONFIRM, "it is true"))
    assert decisions.of_alert(connection, ALERT.alert_id) == [DISMISSAL]


def test_decide_about_an_unknown_alert(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(StaleAlertError):
        decisions.decide(connection, DISMISSAL)
