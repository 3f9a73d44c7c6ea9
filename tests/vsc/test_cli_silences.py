"""``vsc silences`` and ``vsc vehicles workshop``: what a person and a script see, and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from config.clock import open_clock
from storage import alerts, detectors, findings, held_findings, silences
from storage.detectors import DetectorState
from storage.vehicles import register
from tests.support.a_visit import a_finding, an_alert
from vehicle.vehicle import VehicleRecord
from vsc.cli import app
from vsc.failure import CommandError, WrongCallError

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 7, 6, 0, tzinfo=UTC)
VIN = "1M8GDM9AXKP042788"
WHY = ("--reason", "sensor rl is on order")


class Vsc:
    """Runs the command on one database and state folder, whose clock stands at `NOW`."""

    def __init__(self, database_url: str, state: Path) -> None:
        self.database_url = database_url
        self.state = state
        open_clock("data", state).advance(NOW)

    def __call__(self, *arguments: str) -> str:
        environment = {"VSC_DATABASE_URL": self.database_url, "VSC_STATE_DIR": str(self.state), "VSC_CLOCK": "data"}
        result = CliRunner().invoke(app, [*arguments], env=environment)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """Why a call is refused; nothing is stored then."""
        before = self.json("silences", "list", "--all")
        with pytest.raises((WrongCallError, CommandError)) as error:
            self(*arguments)
        assert self.json("silences", "list", "--all") == before
        return str(error.value)


@pytest.fixture
def vsc(database_url: str, open_state: Path) -> Vsc:
    with psycopg.connect(database_url) as connection:
        register(connection, VehicleRecord("car-3", NOW, vin=VIN, model="Kombi"))
    return Vsc(database_url, open_state)


def test_an_entry_is_added_listed_and_lifted(vsc: Vsc) -> None:
    assert vsc("silences", "list") == "Nothing is kept quiet.\n"
    rule = ("--vehicle", VIN, "--rule", "tyre_far_below_others")
    assert "rule tyre_far_below_others of car-3, until 2026-09-21 06:00 UTC" in vsc(
        "silences", "add", *rule, "--to", "14 d", *WHY
    )
    (entry,) = vsc.json("silences", "list")
    assert (entry["kind"], entry["vehicle_id"], entry["author"]) == ("suppression", "car-3", getuser())
    assert (entry["starts_at"], entry["until"]) == (NOW.isoformat(), (NOW + timedelta(days=14)).isoformat())
    assert "sensor rl is on order" in vsc("silences", "list", "--vehicle", "car-3")
    number = str(entry["silence_id"])
    assert "ends 2026-09-07 06:00 UTC" in vsc("silences", "lift", number, "--reason", "replaced", "--author", "A. Roth")
    assert vsc.json("silences", "list") == []
    (lifted,) = vsc.json("silences", "list", "--all")
    assert (lifted["lifts"][0]["author"], lifted["lifts"][0]["reason"]) == ("A. Roth", "replaced")
    assert "lifted already, by A. Roth" in vsc.refused("silences", "lift", number, "--reason", "again")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("--vehicle", "car-9", "--to", "1 d", *WHY), "no car car-9 is registered"),
        (("--rule", "tyre_far_below_other", "--to", "1 d", *WHY), "did you mean tyre_far_below_others?"),
        (("--component", "tire", "--to", "1 d", *WHY), "there is no component tire: did you mean tyre?"),
        (("--model", "Kombo", "--to", "1 d", *WHY), "did you mean Kombi?"),
        (("--to", "1 d", *WHY), "name what is to be quiet"),
        (("--vehicle", "car-3", "--model", "Kombi", "--to", "1 d", *WHY), "take one"),
        (("--model", "Kombi", "--from", "2026-09-10", "--to", "2026-09-09", *WHY), "after the beginning"),
        (("--model", "Kombi", "--from", "2026-09-01", "--to", "2026-09-02", *WHY), "passed already"),
        (("--model", "Kombi", "--to", "2027-09-02", *WHY), "90 days at most"),
        (("--model", "Kombi", "--to", "soon", *WHY), "expected a time like 2026-02-01, or a span like 14 d"),
        (("--model", "Kombi", "--from", "now", "--to", "1 d", *WHY), "--from now: expected a time"),
        (("--model", "Kombi", "--to", "1 d", "--reason", " "), "the reason must say something"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_could(vsc: Vsc, call: tuple[str, ...], says: str) -> None:
    assert says in vsc.refused("silences", "add", *call)


def test_a_reason_and_an_end_are_asked_for(vsc: Vsc) -> None:
    for missing in (("--to", "1 d"), WHY):
        with pytest.raises(SystemExit) as ended:
            vsc("silences", "add", "--vehicle", "car-3", *missing)
        assert ended.value.code == 2


def test_a_workshop_stay_is_entered_and_reported(vsc: Vsc) -> None:
    said = vsc("vehicles", "workshop", VIN, "--from", "2026-09-06", "--to", "2 d", "--reason", "new inlet")
    assert "car-3 is in a workshop until 2026-09-08 00:00 UTC" in said
    (entry,) = vsc.json("silences", "list")
    number = str(entry["silence_id"])
    assert f"vsc silences lift {number} --seen-to" in said
    assert "there is no component inlet" in vsc.refused("silences", "lift", number, *WHY, "--seen-to", "inlet")
    vsc("silences", "lift", number, *WHY, "--seen-to", "charge_inlet")
    assert vsc.json("silences", "show", number)["entry"]["lifts"][0]["seen_to"] == ["charge_inlet"]
    assert "30 days at most" in vsc.refused("vehicles", "workshop", "car-3", "--to", "5 w", *WHY)
    other = str(vsc.json("silences", "add", "--vehicle", "car-3", "--to", "1 d", *WHY)["silence_id"])
    assert "no stay in a workshop" in vsc.refused("silences", "lift", other, *WHY, "--seen-to", "all")


def test_a_service_is_reported(vsc: Vsc) -> None:
    said = vsc("vehicles", "serviced", "car-3", "--odometer-km", "41250")
    assert "car-3 had its service on 2026-09-07, at 41250 km" in said
    told = vsc.json("vehicles", "serviced", VIN, "--at", "2026-09-07T06:00:00Z")
    assert told["serviced_km"] == 41250, "the same service, told again"
    assert "a later service" in vsc.refused("vehicles", "serviced", "car-3", "--at", "2026-09-01")
    assert "still to come" in vsc.refused("vehicles", "serviced", "car-3", "--at", "2026-10-01")


def test_software_is_entered_and_told(vsc: Vsc) -> None:
    said = vsc("vehicles", "software", VIN, "2026.8.1", "--since", "2026-09-06T09:30Z")
    assert "car-3 has software 2026.8.1 since 2026-09-06 09:30 UTC" in said
    now = vsc.json("vehicles", "software", "car-3", "2026.9")
    assert (now["version"], datetime.fromisoformat(now["since"])) == ("2026.9", NOW)
    (car,) = vsc.json("vehicles", "list")
    assert [one["version"] for one in car["software"]] == ["2026.8.1", "2026.9"]
    assert "2026.9" in vsc("vehicles", "list").split()
    assert "still to come" in vsc.refused("vehicles", "software", "car-3", "2026.9", "--since", "2026-10-01")
    assert "has no *" in vsc.refused("vehicles", "software", "car-3", "2026.*")


def test_what_is_held_back_says_why_no_alert_came(vsc: Vsc) -> None:
    added = vsc.json("silences", "add", "--model", "Kombi", "--component", "tyre", "--to", "1 w", *WHY)
    with psycopg.connect(vsc.database_url) as connection:
        number = findings.record(connection, a_finding(vehicle_id="car-3"))
        entry = silences.find(connection, added["silence_id"])
        assert number
        assert entry
        held_findings.hold(connection, {number: entry})
        alerts.save(connection, an_alert(vehicle_id="car-3"))
    (kept,) = vsc.json("silences", "held", "--vehicle", "car-3")
    assert (kept["kept_quiet_by"], kept["reason"]) == (f"entry {added['silence_id']}", "sensor rl is on order")
    assert "Front left loses 3.1 kPa" in vsc("silences", "show", str(added["silence_id"]))
    (alert,) = vsc.json("alerts", "list")
    assert alert["silence"] == added["silence_id"]
    assert "sensor rl is on order" in vsc("alerts", "show", alert["alert_id"])
    assert vsc.json("silences", "list")[0]["held"] == 1


def test_what_rules_inhibit_says_why_no_alert_came(vsc: Vsc) -> None:
    holding = {"judged": 1, "parts": {"": {"rung": 1, "begun": 1}}}
    states = {"contactors_wear": holding | {"withheld": True}, "hvil_open": holding | {"told": True}}
    with psycopg.connect(vsc.database_url) as connection:
        detectors.save(connection, DetectorState(detectors.DIAGNOSIS, "car-3", NOW, {"states": states}))
    (kept,) = vsc.json("silences", "held", "--vehicle", "car-3")
    assert (kept["detector"], kept["kept_quiet_by"]) == ("contactors_wear", "hvil_open")
    assert "Contactors precharge again and again" in kept["evidence"]
    assert vsc("silences", "held") == "Nothing is held back.\n"
