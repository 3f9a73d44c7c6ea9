from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from console.forms import LONGEST, MOST_BYTES
from storage import decisions
from storage.decisions import Verdict
from tests.support.console_server import OURS
from tests.support.fleet_samples import NOW
from vehicle.failure import FailureMode

pytestmark = pytest.mark.integration
FORM = {"author": "K. Berg", "reason": "seen on the car"}


def waiting(console: httpx.Client) -> dict[str, str]:
    listed = console.get("/api/v1/alerts?status=open").json()
    return {alert["failure_mode"]: alert["alert_id"] for alert in listed}


@pytest.mark.parametrize(("verdict", "status"), [("confirm", "confirmed"), ("dismiss", "dismissed")])
def test_a_decision_is_kept_and_leads_to_the_next_alert(
    own_console: httpx.Client, own_fleet_url: str, verdict: str, status: str
) -> None:
    before = waiting(own_console)
    pump, cells = before[FailureMode.COOLANT_PUMP_WEAK], before[FailureMode.WEAK_CELL_GROUP]
    answer = own_console.post(f"/alerts/{pump}/{verdict}", data=FORM, headers=OURS)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/alerts/{cells}?after={pump}"
    page = own_console.get(answer.headers["location"]).text
    assert f"{status.capitalize()}: " in page
    assert "1 to go" in page
    assert 'value="K. Berg"' in page
    assert own_console.get(f"/api/v1/alerts/{pump}").json()["status"] == status
    with psycopg.connect(own_fleet_url) as connection:
        (decision,) = decisions.of_alert(connection, UUID(pump))
    assert (decision.author, decision.reason, decision.at) == ("K. Berg", "seen on the car", NOW)
    assert decision.verdict is Verdict(verdict)
    last = own_console.post(f"/alerts/{cells}/{verdict}", data=FORM, headers=OURS)
    assert "Nothing waits any more." in own_console.get(last.headers["location"]).text


def test_the_next_alert_is_the_one_after_and_skipping_goes_round(own_console: httpx.Client) -> None:
    before = waiting(own_console)
    pump, cells = before[FailureMode.COOLANT_PUMP_WEAK], before[FailureMode.WEAK_CELL_GROUP]
    for here, there in ((pump, cells), (cells, pump)):
        assert f'href="/alerts/{there}" accesskey="n"' in own_console.get(f"/alerts/{here}").text
    answer = own_console.post(f"/alerts/{cells}/dismiss", data=FORM, headers=OURS)
    assert answer.headers["location"] == f"/alerts/{pump}?after={cells}"
    assert "This is the last one that waits." in own_console.get(f"/alerts/{pump}").text
    assert f"/alerts/{cells}" in own_console.get("/alerts").text.partition('id="closed"')[2]


def test_the_second_decision_about_an_alert_is_refused(own_console: httpx.Client) -> None:
    path = f"/alerts/{waiting(own_console)[FailureMode.COOLANT_PUMP_WEAK]}"
    assert own_console.post(f"{path}/confirm", data=FORM, headers=OURS).status_code == 303
    answer = own_console.post(f"{path}/dismiss", data=FORM, headers=OURS)
    assert answer.status_code == 409
    assert "settled already" in answer.text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({**FORM, "reason": "  "}, "“reason” is empty"),
        ({"reason": "true"}, "“author” is empty"),
        ({**FORM, "author": "x" * (LONGEST["author"] + 1)}, "more than 80 characters"),
        ({**FORM, "reason": "a\x00b"}, "control characters"),
        ({**FORM, "reason": "x" * MOST_BYTES}, "more than it has room for"),
        ({f"field{number}": "" for number in range(40)}, "cannot be read"),
    ],
)
def test_a_form_that_cannot_be_meant_changes_nothing(
    console: httpx.Client, form: dict[str, str], sentence: str
) -> None:
    before = waiting(console)
    alert = before[FailureMode.COOLANT_PUMP_WEAK]
    answer = console.post(f"/alerts/{alert}/confirm", data=form, headers=OURS)
    assert answer.status_code in {413, 422}
    assert sentence in answer.text
    assert waiting(console) == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_only_the_pages_own_form_is_taken(console: httpx.Client, content_type: str) -> None:
    alert = waiting(console)[FailureMode.COOLANT_PUMP_WEAK]
    headers = {**OURS, "content-type": content_type}
    answer = console.post(f"/alerts/{alert}/confirm", content=b"author=a&reason=b", headers=headers)
    assert answer.status_code == 415


def test_an_alert_that_is_not_there_or_a_verdict_that_is_none(console: httpx.Client) -> None:
    assert console.post(f"/alerts/{uuid4()}/confirm", data=FORM, headers=OURS).status_code == 404
    alert = waiting(console)[FailureMode.COOLANT_PUMP_WEAK]
    assert console.post(f"/alerts/{alert}/destroy", data=FORM, headers=OURS).status_code == 404
    assert console.get(f"/alerts/{alert}/confirm").status_code == 405


def test_bytes_that_are_no_text_are_refused(console: httpx.Client) -> None:
    alert = waiting(console)[FailureMode.COOLANT_PUMP_WEAK]
    headers = {**OURS, "content-type": "application/x-www-form-urlencoded"}
    answer = console.post(f"/alerts/{alert}/confirm", content=b"author=\xff&reason=b", headers=headers)
    assert answer.status_code == 422
