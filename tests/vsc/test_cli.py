"""The command line: wrong calls and broken surroundings get one clear line and the right exit code."""

import json
import os
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from storage import sequence_gaps
from storage.incidents import IncidentKind, record
from storage.sequence_gaps import SequenceGap
from tests.support.a_rule import a_rule_file
from vsc.cli import main
from vsc.runtime.servers import LocalServers

NOWHERE = {"VSC_DATABASE_URL": "postgresql://vsc@127.0.0.1:9/vsc", "VSC_MQTT_HOST": "127.0.0.1", "VSC_MQTT_PORT": "9"}
"""Port 9 (discard) is not listened to on any machine we know."""


@dataclass
class Result:
    """What a command printed and how it ended."""

    returncode: int
    stdout: str
    stderr: str


class Vsc:
    """Runs the command as a user would, in this process, with a state folder of its own."""

    def __init__(self, state: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._state = state
        self._capture = capture
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, **environment: str) -> Result:
        with self._monkeypatch.context() as changed:
            for name in [name for name in os.environ if name.startswith("VSC_")]:
                changed.delenv(name)
            for name, value in {"VSC_STATE_DIR": str(self._state), "COLUMNS": "200", **environment}.items():
                changed.setenv(name, value)
            changed.setattr(sys, "argv", ["vsc", *arguments])
            # Logs set up here would go on writing to this test's standard error after its end.
            changed.setattr("vsc.cli.configure_logs", lambda _level: None)
            changed.setattr("vsc.commands.services.configure_logs", lambda _level: None)
            with pytest.raises(SystemExit) as ended:
                main()
        printed = self._capture.readouterr()
        return Result(int(ended.value.code or 0), printed.out, printed.err)


@pytest.fixture
def vsc(open_state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Vsc:
    return Vsc(open_state, capsys, monkeypatch)


def only_line(result: Result) -> str:
    """The one line on standard error; a traceback has many."""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_names_every_verb_of_the_design(vsc: Vsc) -> None:
    shown = vsc("--help").stdout
    for verb in (
        "demo",
        "up",
        "down",
        "status",
        "db",
        "vehicles",
        "simulate",
        "replay",
        "ingest",
        "diagnose",
        "tickets",
    ):
        assert f" {verb} " in shown
    for verb in ("alerts", "report", "console", "rules"):
        assert f" {verb} " in shown


def test_without_a_stack_it_says_how_to_have_one(vsc: Vsc) -> None:
    result = vsc("alerts", "list")
    assert result.returncode == 1
    assert "no stack is running here: start one with `vsc up`, or set VSC_DATABASE_URL" in only_line(result)
    assert vsc("status").returncode == 1
    assert vsc("down").returncode == 1


def test_a_database_that_is_down_is_named(vsc: Vsc) -> None:
    for call in (("db", "info"), ("alerts", "list"), ("db", "migrate"), ("vehicles", "list")):
        result = vsc(*call, **NOWHERE)
        assert result.returncode == 1
        assert "no database at 127.0.0.1:9/vsc" in only_line(result)


def test_a_wrong_recording_is_a_wrong_call(vsc: Vsc, tmp_path: Path) -> None:
    wrong = tmp_path / "notes.csv"
    wrong.write_text("a,b\n1,2\n")
    missing = str(tmp_path / "missing.csv")
    for file, says in ((str(wrong), "is not a battery-log"), (missing, "there is no file")):
        result = vsc("replay", file, "--format", "battery-log", "--vehicle", "car-1", **NOWHERE)
        assert result.returncode == 2
        assert says in only_line(result)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            ("replay", "x.csv", "--format", "tachograph", "--vehicle", "car-1"),
            "no format tachograph; known: battery-log",
        ),
        (("replay", "x.csv", "--format", "battery-log", "--vehicle", "car 1"), "a vehicle id has"),
        (("replay", "x.csv", "--format", "battery-log", "--vehicle", "c", "--speed", "fast"), "--speed fast"),
        (
            ("replay", "x.csv", "--format", "battery-log", "--vehicle", "c", "--timezone", "Mars/Dust"),
            "no such time zone",
        ),
        (("simulate", "--start", "tomorrow"), "--start tomorrow: expected YYYY-MM-DD"),
        (("simulate", "--fault", "rust:car-0001:3"), "rust"),
        (("simulate", "--troubles", "few"), "--troubles few: expected none, some, all"),
        (("simulate", "--troubles", "all", "--to", "x"), "they do not go with --to"),
        (("rules", "check", "nowhere"), "nowhere is not a folder"),
        (("diagnose", "--until", "soon"), "--until soon"),
        (("diagnose", "--rules", "nowhere"), "vsc: nowhere is not a folder"),
        (("vehicles", "add", "car 1"), "a vehicle id has"),
        (("vehicles", "add", "car-1", "--vin", "123"), "a VIN is"),
    ],
)
def test_a_wrong_call_exits_with_2_and_says_what_could_be_meant(vsc: Vsc, call: tuple[str, ...], says: str) -> None:
    result = vsc(*call, **NOWHERE, VSC_DESK_URL="http://127.0.0.1:9")
    assert result.returncode == 2
    assert says in only_line(result)


def test_a_wrong_setting_is_named_by_its_variable(vsc: Vsc) -> None:
    result = vsc("db", "info", VSC_MQTT_PORT="ninety", VSC_CLOCK="sun")
    assert result.returncode == 2
    assert "VSC_MQTT_PORT: " in result.stderr
    assert "VSC_CLOCK: " in result.stderr


def test_a_port_in_use_is_named(vsc: Vsc) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = vsc("desk", VSC_DESK_PORT=str(port))
    assert result.returncode == 1
    assert f"port {port} for desk is in use" in only_line(result)


def test_broken_rule_files_are_refused_by_file_and_line(vsc: Vsc, tmp_path: Path) -> None:
    (tmp_path / "tyres.yaml").write_text("system: tyres\nrules:\n  - id: x\n    title: [unclosed\n")
    result = vsc("rules", "check", str(tmp_path))
    assert result.returncode == 1
    assert "tyres.yaml:" in only_line(result)


@pytest.mark.parametrize(
    "call",
    [("diagnose",), ("watch",), ("serve",), ("up",), ("rules", "check"), ("rules", "test"), ("rules", "backtest")],
)
def test_a_setting_without_such_a_folder_is_named(vsc: Vsc, tmp_path: Path, call: tuple[str, ...]) -> None:
    result = vsc(*call, VSC_RULES=str(tmp_path / "none"), VSC_DESK_URL="http://127.0.0.1:9", **NOWHERE)
    assert result.returncode == 2
    assert f"VSC_RULES: {tmp_path / 'none'} is not a folder of rule files" in only_line(result)


@pytest.mark.integration
def test_a_setting_without_or_with_broken_files_is_refused(vsc: Vsc, database_url: str, tmp_path: Path) -> None:
    told = {"VSC_RULES": str(tmp_path), "VSC_DATABASE_URL": database_url, "VSC_DESK_URL": "http://127.0.0.1:9"}
    text = a_rule_file("lv_voltage_v < 12 kPa", "lv_voltage_v > 13 V")
    calls = (("diagnose",), ("watch",), ("watch", "--go-on"), ("serve",), ("up",), ("rules", "check"))
    refused = {call: vsc(*call, **told) for call in calls}
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    for call in calls:
        empty, broken = refused[call], vsc(*call, **told)
        assert (empty.returncode, broken.returncode) == (1, 1), call
        assert only_line(empty) == f"vsc: {tmp_path}:1:1: there is no rule file (*.yaml) here"
        assert only_line(broken).startswith("vsc: mine.yaml:18:22: made_up: when: a number in V cannot be compared")


@pytest.mark.integration
def test_rules_of_ones_own_are_known_to_every_command(vsc: Vsc, database_url: str, tmp_path: Path) -> None:
    text = a_rule_file("lv_voltage_v < 12 V", "lv_voltage_v > 13 V", id="mine")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    told = {"VSC_RULES": str(tmp_path), "VSC_DATABASE_URL": database_url, "VSC_DESK_URL": "http://127.0.0.1:9"}
    assert json.loads(vsc("rules", "check", "--json", **told).stdout)["rules"] == ["mine"]
    assert vsc("vehicles", "add", "car-1", **told).returncode == 0
    silence = ("silences", "add", "--vehicle", "car-1", "--to", "1 d", "--reason", "known", "--rule")
    assert vsc(*silence, "mine", **told).returncode == 0
    assert vsc("diagnose", **told).returncode == 0
    (tmp_path / "mine.yaml").write_text("system: [", encoding="utf-8")
    assert vsc(*silence, "mine", **told).returncode == 0, "they are still at work"
    other = vsc(*silence, "tyre_soft", **told)
    assert (other.returncode, other.stderr[:22]) == (2, "vsc: there is no rule "), other.stderr
    assert vsc("diagnose", "--rules", "rules/catalogue", **told).returncode == 0


def test_the_shipped_rules_have_no_mistakes(vsc: Vsc) -> None:
    result = vsc("rules", "check", "--json")
    assert result.returncode == 0
    checked = json.loads(result.stdout)
    assert checked["mistakes"] == []
    assert len(checked["rules"]) >= 5


@pytest.mark.integration
def test_results_are_json_for_scripts(vsc: Vsc, database_url: str) -> None:
    surroundings = {"VSC_DATABASE_URL": database_url}
    assert vsc("vehicles", "add", "car-1", "--vin", "WVWZZZ1JZ3W386752", **surroundings).returncode == 0
    listed = vsc("vehicles", "list", "--json", **surroundings)
    assert [car["vehicle_id"] for car in json.loads(listed.stdout)] == ["car-1"]
    assert "WVWZZZ1JZ3W386752" not in listed.stdout
    assert json.loads(vsc("db", "incidents", "--json", **surroundings).stdout) == []
    with psycopg.connect(database_url) as connection:
        record(connection, IncidentKind.POISON, details={"payload_sha256": "00"})
    (incident,) = json.loads(vsc("db", "incidents", "--json", **surroundings).stdout)
    assert (incident["kind"], incident["details"]) == ("poison", {"payload_sha256": "00"})
    info = json.loads(vsc("db", "info", "--json", **surroundings).stdout)
    assert info["timescaledb_version"].startswith("2.")
    assert "telemetry" in info["hypertables"]
    assert json.loads(vsc("alerts", "list", "--json", **surroundings).stdout) == []
    assert vsc("vehicles", "forget", "car-1", "--yes", **surroundings).returncode == 0
    again = vsc("vehicles", "forget", "car-1", "--yes", **surroundings)
    assert again.returncode == 1
    assert "no car car-1 is registered" in only_line(again)


@pytest.mark.integration
def test_what_is_missing_is_listed_by_car_and_boot(vsc: Vsc, database_url: str) -> None:
    surroundings = {"VSC_DATABASE_URL": database_url}
    assert vsc("vehicles", "add", "car-1", **surroundings).returncode == 0
    assert vsc("vehicles", "gaps", **surroundings).stdout == "Nothing is missing.\n"
    at = datetime(2026, 9, 1, 6, 12, tzinfo=UTC)
    gaps = [SequenceGap("car-1", "0a", 7, 9, at, 2, at), SequenceGap("car-1", "0a", 12, 12, at + timedelta(hours=1))]
    gaps += [SequenceGap("car-1", "0b", seq, seq, at) for seq in range(1, 30, 2)]
    with psycopg.connect(database_url) as connection:
        sequence_gaps.replace(connection, [("car-1", "0a"), ("car-1", "0b")], gaps)
    table = vsc("vehicles", "gaps", "car-1", **surroundings).stdout
    assert "7-9, 12 " in table
    assert "17, 19, and 5 more ranges" in table
    listed = json.loads(vsc("vehicles", "gaps", "--json", **surroundings).stdout)
    assert listed[0] == {
        "vehicle_id": "car-1",
        "boot": "0a",
        "missing": [[7, 9], [12, 12]],
        "batches": 4,
        "since": at.isoformat(),
        "asked": 2,
        "asked_at": at.isoformat(),
    }
    assert [len(row["missing"]) for row in listed] == [2, 15]
    assert "no car car-2 is registered" in only_line(vsc("vehicles", "gaps", "car-2", **surroundings))


@pytest.mark.integration
def test_a_database_without_our_schema_says_what_to_do(vsc: Vsc, servers: LocalServers) -> None:
    result = vsc("alerts", "list", VSC_DATABASE_URL=servers.url("postgres"))
    assert result.returncode == 1
    assert "run `vsc db migrate`" in only_line(result)


@pytest.mark.integration
def test_a_report_that_cannot_be_written_names_the_file(vsc: Vsc, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = vsc("report", "fleet", "--out", str(tmp_path / "file" / "fleet.html"), VSC_DATABASE_URL=database_url)
    assert result.returncode == 1
    assert str(tmp_path / "file") in only_line(result)
    written = tmp_path / "fleet.html"
    assert vsc("report", "fleet", "--out", str(written), VSC_DATABASE_URL=database_url).returncode == 0
    assert written.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("shard", ["1", "2/2", "0/0"])
def test_a_shard_that_cannot_be_is_a_wrong_call(vsc: Vsc, shard: str) -> None:
    result = vsc("ingest", "--shard", shard, **NOWHERE)
    assert result.returncode == 2
    assert "shard" in only_line(result)


def test_a_fleet_is_written_to_files_without_any_stack(vsc: Vsc, tmp_path: Path) -> None:
    call = ("simulate", "--vehicles", "2", "--days", "2", "--to", str(tmp_path / "fleet"))
    written = vsc(*call, "--json", **NOWHERE)
    assert written.returncode == 0
    assert json.loads(written.stdout)["samples_written"] > 200
    assert len(list((tmp_path / "fleet" / "samples").iterdir())) == 2
    again = vsc(*call, **NOWHERE)
    assert again.returncode == 1
    assert again.stderr.splitlines()[-1] == f"vsc: --to {tmp_path / 'fleet'}: the folder is not empty"
