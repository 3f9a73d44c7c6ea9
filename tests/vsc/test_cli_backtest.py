"""``vsc rules backtest``: over a folder and the database, with verdicts, both views and the page; what is refused."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from config.clock import Clock, open_clock
from features.tyres import WHEELS
from flows.diagnose import diagnose
from simulator.fleet import build_fleet
from simulator.parquet import write_fleet
from storage import alerts, decisions, vehicles
from storage.connection import connect
from storage.decisions import Decision, Verdict
from storage.ledger import BatchKey
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from vehicle.moment import instant
from vsc.cli import app
from vsc.failure import CommandError, WrongCallError
from vsc.runtime.servers import LocalServers

pytestmark = pytest.mark.integration
START = datetime.fromisoformat("2026-03-01T00:00:00Z")
DAY = timedelta(days=1)
DATABASE = "backtest_cli"
RULE = "tyre_far_below_others"


class Vsc:
    """Runs the command on one database and state folder."""

    def __init__(self, database_url: str, state: Path) -> None:
        self.environment = {
            "VSC_DATABASE_URL": database_url,
            "VSC_STATE_DIR": str(state),
            "VSC_CLOCK": "data",
        }

    def __call__(self, *arguments: str) -> str:
        result = CliRunner().invoke(app, ["rules", "backtest", *arguments], env=self.environment)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture(scope="module")
def vsc(servers: LocalServers, template_database: str) -> Iterator[Vsc]:
    """Two cars with a soft tyre, of which one alert is confirmed and one dismissed; and a sound car."""
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        names = [sql.Identifier(name) for name in (DATABASE, template_database)]
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    with TemporaryDirectory(prefix="vsc-test-") as state:
        Path(state).chmod(0o755)
        clock = open_clock("data", Path(state))
        clock.advance(START + 12 * DAY)
        _fill(servers.url(DATABASE), clock)
        yield Vsc(servers.url(DATABASE), Path(state))


def _fill(database_url: str, clock: Clock) -> None:
    with connect(database_url) as connection:
        for car in ("leaks", "sensor", "sound"):
            vehicles.register(connection, a_vehicle(vehicle_id=car))
            connection.commit()
            for day in range(6):
                _send(connection, car, day, -40.0 if car != "sound" and day > 1 else 0.0)
        diagnose(connection, clock)
        for alert in alerts.list_alerts(connection):
            verdict = Verdict.CONFIRM if alert.vehicle_id == "leaks" else Verdict.DISMISS
            decisions.decide(connection, Decision(alert.alert_id, START + 7 * DAY, "engineer", verdict, "seen"))
        connection.commit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backtest") / "fleet"
    write_fleet(path, build_fleet(1, 2, 5, date(2026, 3, 1)), lambda _: None)
    return path


def _send(connection: psycopg.Connection[Any], car: str, day: int, gap: float) -> None:
    times = instant(START + day * DAY) + np.arange(12) * np.timedelta64(2, "h")
    columns = {f"tyre_pressure_{wheel}_kpa": np.full(12, 290.0) for wheel in WHEELS}
    columns |= {f"tyre_temp_{wheel}_c": np.full(12, 20.0) for wheel in WHEELS}
    columns["tyre_pressure_rl_kpa"] += gap
    sent = START + (day + 1) * DAY + timedelta(minutes=2)
    store_batch(connection, BatchKey(car, "00000000000000a1", day + 1), times, columns, sent, received_at=sent + DAY)


def test_the_database_is_judged_by_what_engineers_said(vsc: Vsc) -> None:
    found = vsc.json("--rule", RULE)
    assert (found["reference"], found["vehicle_days"], found["samples"]) == ("verdicts", 18, 3 * 6 * 12)
    (rule,) = found["rules"]
    assert (rule["fires"], rule["true_fires"], rule["precision"], rule["without_verdict"]) == (2, 1, 0.5, 0)
    assert {fire["vehicle_id"]: fire["answer"] for fire in found["fires"]} == {"leaks": "right", "sensor": "wrong"}
    assert found["all"]["per_shift"]["shifts"] == 18
    assert "nobody has said anything of 0 of the 2 fires" in vsc("--rule", RULE)


def test_both_views_say_when_a_fire_was_known(vsc: Vsc, tmp_path: Path) -> None:
    plot = tmp_path / "fires.html"
    views = vsc.json("--rule", RULE, "--view", "both", "--plot", str(plot))
    final, known = views["final"], views["known"]
    assert [fire["started_at"] for fire in final["fires"]] == [fire["started_at"] for fire in known["fires"]]
    assert all(fire["known_at"] is None for fire in final["fires"])
    started, seen = (datetime.fromisoformat(known["fires"][0][name]) for name in ("started_at", "known_at"))
    assert (seen.minute, seen >= started + DAY) == (0, True)
    (rule,) = known["rules"]
    assert (rule["taken_back"], rule["delay_hours"] > 24) == (0, True)
    assert plot.read_text().count('<td class="series">') == 2 * 2
    assert "As known then" in vsc("--rule", RULE, "--view", "both")


def test_two_versions_lie_beside_each_other(vsc: Vsc, tmp_path: Path) -> None:
    changed = tmp_path / "mine"
    changed.mkdir()
    shipped = Path("rules/catalogue")
    for file in shipped.glob("*.yaml"):
        (changed / file.name).write_text(file.read_text())
    both = vsc.json("--rules", str(changed), "--against", str(shipped), "--rule", RULE, "--vehicle", "leaks")
    assert [len(both[label]["fires"]) for label in ("before", "after")] == [1, 1]
    assert "fires before" in vsc("--rules", str(changed), "--against", str(shipped), "--rule", RULE)


def test_a_part_of_the_history(vsc: Vsc) -> None:
    found = vsc.json("--rule", RULE, "--since", "2026-03-03", "--until", "2026-03-06", "--vehicle", "leaks")
    assert found["vehicle_days"] == 3
    assert found["span"] == ["2026-03-03T00:00:00+00:00", "2026-03-06T00:00:00+00:00"]


def test_a_folder_has_the_truth_and_no_times_of_arrival(vsc: Vsc, folder: Path, tmp_path: Path) -> None:
    found = vsc.json(str(folder), "--plot", str(tmp_path / "fires.html"))
    assert (found["reference"], found["vehicle_days"], found["all"]["without_verdict"]) == ("truth", 2, 0)
    assert "Held against the truth" in (tmp_path / "fires.html").read_text()
    with pytest.raises(WrongCallError, match="do not say when their samples arrived"):
        vsc(str(folder), "--view", "known")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shift", "7"], "divides a day"),
        (["--view", "then"], "expected final, known, both"),
        (["--rule", "none_such"], "there is no rule none_such"),
        (["--since", "soon"], "expected a time"),
        (["--rules", "nowhere"], "not a folder"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_opened(tmp_path: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(WrongCallError, match=message):
        Vsc("postgresql://nowhere.invalid/", tmp_path)(*arguments)


def test_what_there_is_nothing_of_is_said(vsc: Vsc) -> None:
    with pytest.raises(CommandError, match="there is nothing of nobody"):
        vsc("--vehicle", "nobody")
    with pytest.raises(CommandError, match="no whole day"):
        vsc("--since", "2027-01-01")
