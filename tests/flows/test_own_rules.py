"""Rules in a folder of one's own, judged by live and by whole days alike, over a real database."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from structlog.testing import capture_logs

from config.clock import Clock, open_clock
from features.panel import Observations
from flows.diagnose import diagnose
from flows.jobs import Stack, judge_fleet
from flows.observations import observations
from flows.rules_at_work import RulesAtWork
from flows.watch import Watch
from flows.watching import watch_once
from rules.loader import RuleError
from storage import alerts, findings, vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.a_rule import a_rule_file
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from vehicle.moment import instant

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=10)
CAR = "car-1"
SOUND, FLAT = 12.8, 11.0
A_DAY = 144
LOW = a_rule_file("avg(lv_voltage_v, 30 min) < 12 V", "avg(lv_voltage_v, 30 min) > 12.5 V", id="mine")
DEEP = a_rule_file("lv_voltage_v < 8 V", "lv_voltage_v > 9 V", id="deep")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as opened:
        vehicles.register(opened, a_vehicle(vehicle_id=CAR))
        yield opened


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Far ahead of the samples."""
    clock = open_clock("data", tmp_path)
    clock.advance(START + timedelta(days=100))
    return clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of one's own, with a rule that the shipped ones have not."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.yaml").write_text(LOW, encoding="utf-8")
    return folder


def send(connection: Connection, first: int, volts: Sequence[float]) -> None:
    """Samples ten minutes apart, from the sample with number `first` on."""
    at = START + first * STEP
    times = instant(at) + np.arange(len(volts)) * np.timedelta64(10, "m")
    key = BatchKey(CAR, "00000000000000a1", first + 1)
    store_batch(connection, key, times, {"lv_voltage_v": np.array(volts)}, at + len(volts) * STEP)


def told(connection: Connection) -> list[tuple[str, datetime, bool]]:
    stored = [one.finding for one in findings.of_vehicle(connection, CAR)]
    return [(one.detector, one.observed_at, one.cleared) for one in stored]


def test_what_only_ones_own_folder_finds_live_whole_days_keep_and_end(
    connection: Connection, clock: Clock, database_url: str, folder: Path
) -> None:
    send(connection, 0, [SOUND] * 100 + [FLAT] * 10)
    assert watch_once(database_url, clock, folder).findings == 1
    (claim,) = told(connection)
    assert (claim[0], claim[2]) == ("mine", False)
    send(connection, 110, [FLAT] * 190)
    stack = Stack(database_url, "http://127.0.0.1:9", clock, rules=folder)
    summary = judge_fleet(stack, go_on=True).diagnosis
    assert (summary.vehicle_days, summary.findings) == (2, 0)
    assert watch_once(database_url, clock, folder).findings == 0
    assert told(connection) == [claim]
    assert [alert.cleared_at for alert in alerts.list_alerts(connection)] == [None]
    send(connection, 300, [SOUND] * A_DAY)
    judge_fleet(stack)
    assert told(connection) == [claim, ("mine", START + 302 * STEP, True)]


def test_a_scheduled_diagnosis_refuses_a_broken_change_and_judges_by_the_old_rules(
    connection: Connection, clock: Clock, database_url: str, folder: Path
) -> None:
    stack = Stack(database_url, "http://127.0.0.1:9", clock, rules=folder)
    send(connection, 0, [SOUND] * (A_DAY + 1))
    judge_fleet(stack, go_on=True)
    (folder / "mine.yaml").write_text(LOW.replace("12 V", "12 kPa"), encoding="utf-8")
    send(connection, A_DAY + 1, [FLAT] * A_DAY)
    with pytest.raises(RuleError, match=r"mine\.yaml:\d+:\d+: mine: "):
        judge_fleet(stack)
    assert told(connection) == []
    with capture_logs() as logs:
        assert judge_fleet(stack, go_on=True).diagnosis.findings == 1
    assert [one["event"] for one in logs if "rules" in one["event"]] == ["rules_refused"]
    assert [one[0] for one in told(connection)] == ["mine"]
    (folder / "mine.yaml").write_text(DEEP, encoding="utf-8")
    send(connection, 2 * A_DAY + 1, [FLAT] * A_DAY)
    judge_fleet(stack, go_on=True)
    assert [one[2] for one in told(connection)] == [False, True], "mended, the change is taken over"


def test_a_rule_that_comes_to_work_while_a_car_is_judged_loses_no_claim_and_tells_nothing_twice(
    connection: Connection, clock: Clock, database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watching has the new rule first, and has told of it when the day, judged without it, is to be stored."""

    def meanwhile(*arguments: Any) -> Observations:
        monkeypatch.setattr("flows.diagnose.observations", observations)
        (folder / "mine.yaml").write_text(LOW, encoding="utf-8")
        with connect(database_url, autocommit=True) as other:
            watch = Watch(RulesAtWork.begin(other, folder).rules, clock)
            assert watch.look(other).findings == 1
        return observations(*arguments)

    (folder / "mine.yaml").write_text(DEEP, encoding="utf-8")
    send(connection, 0, [SOUND] * 100 + [FLAT] * 100)
    monkeypatch.setattr("flows.diagnose.observations", meanwhile)
    with capture_logs() as logs:
        summary = diagnose(connection, clock, rules=folder)
    assert (summary.vehicle_days, summary.findings) == (1, 0)
    assert [(name, cleared) for name, _, cleared in told(connection)] == [("mine", False)]
    assert [(one["added"], one["removed"]) for one in logs if one["event"] == "rules_taken_over"] == [
        (["mine"], ["deep"]),
        (["mine"], ["deep"]),
    ], "by the one, then by the other"
    send(connection, 200, [FLAT] * 100)
    diagnose(connection, clock, rules=folder)
    assert len(told(connection)) == 1
