"""What cars, workshops and colleagues write is shown as text, wherever it is shown."""

from dataclasses import replace
from datetime import timedelta

import httpx
import psycopg
import pytest

from storage import alerts, events, findings, quarantine, tickets, vehicles
from storage.quarantine import QuarantinedMessage
from tests.support.fleet_samples import NOW
from tickets.alert import AlertStatus
from vehicle.batch import Event, EventBatch, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.rejection import Rejection, RejectionReason

pytestmark = pytest.mark.integration
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}\u202egnp"
CAR = "city-03"


@pytest.fixture
def poisoned(own_console: httpx.Client, own_fleet_url: str) -> httpx.Client:
    with psycopg.connect(own_fleet_url) as connection:
        record = vehicles.find(connection, CAR)
        assert record is not None
        vehicles.register(connection, replace(record, model=HOSTILE, place=HOSTILE, chemistry=HOSTILE))
        code = DiagnosticTroubleCode(HOSTILE, DtcStatus.CONFIRMED | DtcStatus.TEST_FAILED)
        event = Event(NOW - timedelta(hours=2), EventKind.TROUBLE_CODE, code, {HOSTILE: HOSTILE})
        events.record(connection, [EventBatch(CAR, "00000000000000b2", 1, NOW, (event,))], NOW)
        alert = alerts.list_alerts(connection, (AlertStatus.OPEN,))[0]
        stored = findings.find(connection, alert.latest_finding_id or 0)
        assert stored is not None
        evidence = replace(
            stored.evidence,
            summary=HOSTILE,
            clears_when=HOSTILE,
            threshold_label=HOSTILE,
            traces=tuple(replace(trace, label=HOSTILE, unit=HOSTILE) for trace in stored.evidence.traces[:1]),
        )
        number = findings.record(connection, replace(stored, detector=HOSTILE, locations=(HOSTILE,), evidence=evidence))
        alerts.save(
            connection,
            replace(alert, component=HOSTILE, failure_mode=HOSTILE, latest_finding_id=number, locations=(HOSTILE,)),
        )
        ticket = tickets.list_tickets(connection)[0]
        tickets.save(connection, replace(ticket, title=HOSTILE, action=HOSTILE, parts=(HOSTILE,)))
        connection.execute(
            "UPDATE appointments SET place = %(t)s, technician = %(t)s, external_ref = %(t)s", {"t": HOSTILE}
        )
        connection.execute("UPDATE booking_outbox SET last_error = %s", [HOSTILE])
        connection.execute("UPDATE ticket_transitions SET reason = %s", [HOSTILE])
        message = QuarantinedMessage(
            NOW, HOSTILE, Rejection(RejectionReason.UNREADABLE, HOSTILE), HOSTILE.encode(), vehicle_id=HOSTILE
        )
        quarantine.record(connection, [message])
        connection.execute(
            "INSERT INTO alert_decisions (alert_id, at, author, verdict, reason) VALUES (%s, %s, %s, 'dismiss', %s)",
            [alert.alert_id, NOW, HOSTILE, HOSTILE],
        )
    return own_console


def pages(console: httpx.Client) -> list[str]:
    listed = [f"/alerts/{alert['alert_id']}" for alert in console.get("/api/v1/alerts").json()]
    listed += [f"/tickets/{ticket['ticket_id']}" for ticket in console.get("/api/v1/tickets").json()]
    return ["/", "/alerts", "/tickets", "/vehicles", f"/vehicles/{CAR}", "/quarantine", *listed]


def test_no_page_lets_it_become_markup(poisoned: httpx.Client) -> None:
    shown = 0
    for path in pages(poisoned):
        answer = poisoned.get(path)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text, path
        assert "<img" not in answer.text, path
        assert "\u202e" not in answer.text, path
        assert ">49<" not in answer.text, path
        shown += answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;")
    assert shown > 30


def test_a_name_that_the_browser_remembered_is_text_too(poisoned: httpx.Client) -> None:
    alert = poisoned.get("/api/v1/alerts?status=open").json()[0]["alert_id"]
    poisoned.cookies.set("author", "%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    answer = poisoned.get(f"/alerts/{alert}")
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text


def test_the_api_gives_it_back_as_it_was(poisoned: httpx.Client) -> None:
    answer = poisoned.get(f"/api/v1/vehicles/{CAR}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["model"] == HOSTILE
