"""What is kept quiet, seen and ended on the pages; what cannot be meant changes nothing."""

from datetime import timedelta

import httpx
import psycopg
import pytest

from storage import detectors, findings, held_findings, silences
from storage.detectors import DetectorState
from tests.support.a_visit import a_finding
from tests.support.console_server import OURS
from tests.support.fleet_samples import NOW
from tickets.silence import Silence, SilenceKind
from vehicle.failure import FailureMode

pytestmark = pytest.mark.integration
FORM = {"author": "K. Berg", "reason": "new pump is on order", "until": "2026-10-09", "what": "component"}


def alert_ids(console: httpx.Client) -> dict[str, str]:
    return {alert["failure_mode"]: alert["alert_id"] for alert in console.get("/api/v1/alerts").json()}


@pytest.mark.parametrize("what", ["component", "detector"])
def test_an_alert_that_is_kept_quiet_leaves_the_queue_and_says_why(own_console: httpx.Client, what: str) -> None:
    ids = alert_ids(own_console)
    pump, cells = ids[FailureMode.COOLANT_PUMP_WEAK], ids[FailureMode.WEAK_CELL_GROUP]
    answer = own_console.post(f"/alerts/{pump}/silence", data=FORM | {"what": what}, headers=OURS)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/alerts/{cells}?after={pump}"
    assert "This is the last one that waits." in own_console.get(f"/alerts/{cells}").text
    shown = own_console.get(f"/alerts/{pump}").text
    assert "K. Berg" in shown
    assert "new pump is on order" in shown
    assert "Keep it quiet" not in shown
    (entry,) = own_console.get("/api/v1/silences").json()
    assert (entry["kind"], entry["vehicle_id"], entry["until"]) == ("suppression", "estate-02", "2026-10-09T00:00:00Z")
    assert entry["component"] == ("coolant_pump" if what == "component" else None)
    assert (entry["detector"] is None) == (what == "component")
    assert own_console.get(f"/api/v1/alerts/{pump}").json()["silence"]["silence_id"] == entry["silence_id"]
    lift = f"/silences/{entry['silence_id']}/lift"
    assert own_console.post(lift, data={"author": "A. Roth", "reason": "fitted"}, headers=OURS).status_code == 303
    assert "A. Roth: fitted" in own_console.get("/silences").text
    assert own_console.post(lift, data={"author": "A. Roth", "reason": "again"}, headers=OURS).status_code == 409
    assert own_console.get(f"/api/v1/alerts/{pump}").json()["silence"] is None


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({**FORM, "until": "tomorrow"}, 422, "is no day like 2026-10-09"),
        ({**FORM, "until": "2026-09-25"}, 422, "The end must lie after the beginning"),
        ({**FORM, "until": "2029-01-01"}, 422, "366 days at most"),
        ({**FORM, "what": "all"}, 422, "nothing that can be kept quiet"),
        ({**FORM, "reason": " "}, 422, "“reason” is empty"),
    ],
)
def test_a_form_that_cannot_be_meant_keeps_nothing_quiet(
    console: httpx.Client, form: dict[str, str], status: int, sentence: str
) -> None:
    alert = alert_ids(console)[FailureMode.COOLANT_PUMP_WEAK]
    answer = console.post(f"/alerts/{alert}/silence", data=form, headers=OURS)
    assert answer.status_code == status
    assert sentence in answer.text
    assert console.get("/api/v1/silences").json() == []


def test_danger_and_what_is_settled_are_not_kept_quiet(console: httpx.Client) -> None:
    ids = alert_ids(console)
    for mode, sentence in (
        (FailureMode.HV_ISOLATION_LOSS, "Danger is never kept quiet"),
        (FailureMode.TYRE_SLOW_LEAK, "settled already"),
    ):
        answer = console.post(f"/alerts/{ids[mode]}/silence", data=FORM, headers=OURS)
        assert answer.status_code == 409
        assert sentence in answer.text
        assert "Keep it quiet" not in console.get(f"/alerts/{ids[mode]}").text
    assert console.post("/silences/999/lift", data=FORM, headers=OURS).status_code == 404
    assert console.post(f"/alerts/{ids[FailureMode.COOLANT_PUMP_WEAK]}/silence", data=FORM).status_code == 403


def test_a_finding_that_is_held_back_is_shown_with_author_reason_and_end(
    own_console: httpx.Client, own_fleet_url: str
) -> None:
    entry = Silence(
        0, SilenceKind.SILENCE, NOW, NOW + timedelta(days=5), "K. Berg", "<b>cold week</b>", NOW, component="tyre"
    )
    stay = Silence(
        0, SilenceKind.WORKSHOP, NOW, NOW + timedelta(days=1), "A. Roth", "new inlet", NOW, vehicle_id="city-03"
    )
    with psycopg.connect(own_fleet_url) as connection:
        stored = silences.add(connection, entry)
        silences.add(connection, stay)
        number = findings.record(connection, a_finding(vehicle_id="city-03"))
        assert number
        held_findings.hold(connection, {number: stored})
    for path in ("/silences", "/vehicles/city-03"):
        page = own_console.get(path).text
        assert "Front left loses 3.1 kPa a day" in page
        assert "&lt;b&gt;cold week" in page
        assert "K. Berg" in page
        assert "30 Sep" in page
        assert "is in a workshop" in page
    assert "1 finding held back" in own_console.get("/").text
    assert "cold week" in own_console.get("/vehicles/city-04").text
    assert "loses 3.1 kPa" not in own_console.get("/vehicles/city-04").text


def test_a_car_comes_back_from_the_workshop_with_what_was_seen_to(
    own_console: httpx.Client, own_fleet_url: str
) -> None:
    stay = Silence(
        0, SilenceKind.WORKSHOP, NOW, NOW + timedelta(days=1), "A. Roth", "new inlet", NOW, vehicle_id="city-03"
    )
    tyres = Silence(0, SilenceKind.SILENCE, NOW, NOW + timedelta(days=5), "K. Berg", "cold week", NOW, component="tyre")
    with psycopg.connect(own_fleet_url) as connection:
        stored, other = silences.add(connection, stay), silences.add(connection, tyres)
    assert "Charge inlet</option>" in own_console.get("/silences").text
    form = {"author": "A. Roth", "reason": "replaced", "seen_to": "charge_inlet"}
    refused = ((other.silence_id, form), (stored.silence_id, form | {"seen_to": "the inlet"}))
    for number, sent in refused:
        assert own_console.post(f"/silences/{number}/lift", data=sent, headers=OURS).status_code == 422
    assert own_console.post(f"/silences/{stored.silence_id}/lift", data=form, headers=OURS).status_code == 303
    with psycopg.connect(own_fleet_url) as connection:
        ended = silences.find(connection, stored.silence_id)
    assert ended
    assert ended.lift
    assert ended.lift.seen_to == ("charge_inlet",)
    assert "A. Roth: replaced (seen to: charge inlet)" in own_console.get("/silences").text


def test_a_vehicle_shows_what_its_rules_inhibit(own_console: httpx.Client, own_fleet_url: str) -> None:
    holding = {"judged": 1, "parts": {"": {"rung": 1, "begun": 1}}}
    states = {"contactors_wear": holding | {"withheld": True}, "hvil_open": holding | {"told": True}}
    with psycopg.connect(own_fleet_url) as connection:
        detectors.save(connection, DetectorState(detectors.DIAGNOSIS, "city-03", NOW, {"states": states}))
    shown = own_console.get("/vehicles/city-03").text
    assert "Contactors precharge again and again" in shown
    assert '<code>hvil_open</code><span class="small">says it more plainly' in shown
