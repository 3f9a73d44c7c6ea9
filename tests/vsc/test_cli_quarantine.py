"""``vsc quarantine``: what a person and a script see of it, and what a replay by hand does."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from ingest.incoming import Incoming, read
from ingest.validation import TimeLimits
from ingest.writer import Writer
from storage.vehicles import register
from tests.support.some_batches import NOW, a_batch, a_message
from vehicle.vehicle import VehicleRecord
from vsc.cli import app
from vsc.failure import CommandError, WrongCallError

pytestmark = pytest.mark.integration
VIN = "WVWZZZ1JZ3W386752"
LIMITS = TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=True)


class Vsc:
    """Runs the command on one database and state folder."""

    def __init__(self, database_url: str, state: Path) -> None:
        self.database_url = database_url
        self.state = state

    def __call__(self, *arguments: str) -> tuple[int, str]:
        environment = {"VSC_DATABASE_URL": self.database_url, "VSC_STATE_DIR": str(self.state), "VSC_CLOCK": "data"}
        result = CliRunner().invoke(app, ["quarantine", *arguments], env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json")[1])

    def store(self, *flush: Incoming) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            Writer(LIMITS, Still()).store(connection, flush)

    def know(self, vehicle_id: str) -> None:
        with psycopg.connect(self.database_url) as connection:
            register(connection, VehicleRecord(vehicle_id, NOW))


class Still:
    """The clock of the moment of arrival."""

    def now(self) -> datetime:
        return NOW

    def advance(self, at: datetime) -> None:
        del at


@pytest.fixture
def vsc(database_url: str, open_state: Path) -> Vsc:
    return Vsc(database_url, open_state)


def test_an_empty_quarantine_says_so(vsc: Vsc) -> None:
    assert vsc("list") == (0, "Nothing is in quarantine.\n")
    assert vsc.json("list") == []
    assert vsc("replay", "--all")[0] == 0


def test_entries_are_listed_and_shown_without_vins(vsc: Vsc, tmp_path: Path) -> None:
    payload = json.dumps({"v": 1, "vin": VIN, "note": "\x1b[2J"}).encode()
    vsc.store(
        read(a_message(payload=payload, content_type="application/json")),
        read(a_message(a_batch(seq=2), payload=b"\xc1" + VIN.encode())),
    )
    rows = vsc.json("list", "--vehicle", "car-1")
    assert {row["reason"] for row in rows} == {"unknown_vehicle"}
    for row in rows:
        code, text = vsc("show", str(row["id"]))
        assert code == 0
        assert VIN not in text
        assert "\x1b" not in text
        shown = vsc.json("show", str(row["id"]))
        assert VIN not in json.dumps(shown)
        assert (shown["says"] is None) == (shown["begins_with"] != [])
    (readable,) = (row for row in rows if row["seq"] == 1)
    assert vsc.json("show", str(readable["id"]))["says"] == {"v": 1, "vin": "[vin]", "note": "\x1b[2J"}
    written = tmp_path / "payload"
    vsc("show", str(readable["id"]), "--raw", str(written))
    assert written.read_bytes() == payload
    assert len(vsc.json("list", "--limit", "1")) == 1
    assert vsc.json("list", "--reason", "too_late") == []


def test_after_the_registration_the_replay_stores_it_once(vsc: Vsc) -> None:
    vsc.store(read(a_message()), read(a_message(a_batch(seq=2))))
    assert vsc("replay", "--all")[0] == 1
    vsc.know("car-1")
    told = vsc.json("replay", "--vehicle", "car-1", "--dry-run")
    assert (told["stored"], told["samples"], told["dry_run"]) == (2, 4, True)
    code, text = vsc("replay", "--reason", "unknown_vehicle", "--json")
    assert (code, json.loads(text)["stored"]) == (0, 2)
    assert vsc.json("replay", "--all")["stored"] == 0
    assert datetime.fromisoformat((vsc.state / "clock").read_text()) == NOW


def test_a_clock_is_set_by_hand(vsc: Vsc) -> None:
    vsc.know("car-1")
    booted = datetime(1980, 1, 6, tzinfo=UTC)
    lost = a_batch({"hv_soc_pct": [5]}, seconds=[int((booted - NOW).total_seconds())], sent_at=booted)
    vsc.store(read(a_message(lost)))
    (row,) = vsc.json("list")
    offset = str((NOW - booted).total_seconds())
    assert vsc.json("replay", str(row["id"]), "--clock-offset", offset)["stored"] == 1
    with psycopg.connect(vsc.database_url) as connection:
        assert connection.execute("SELECT time FROM telemetry").fetchall() == [(NOW,)]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (("replay",), WrongCallError),
        (("replay", "--all", "--vehicle", "car-1"), WrongCallError),
        (("replay", "--all", "--clock-offset", "5"), WrongCallError),
        (("replay", "7"), CommandError),
        (("show", "7"), CommandError),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(vsc: Vsc, call: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        vsc(*call)
