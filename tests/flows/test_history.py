"""A fleet's history in Parquet: cars together, day by day, find what each finds by itself."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from flows.backtest import backtest, fires
from flows.history import History, HistoryError
from flows.parquet_history import open_folder
from rules.detector import RuleDetector
from rules.loader import load_rules
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.parquet import EVENTS, write_fleet
from simulator.truth import read_truth
from tests.support.judging import judge_fleet
from vehicle.failure import FailureMode
from vehicle.software import SoftwareVersion
from vsc.hindsight.score import beside, score
from vsc.hindsight.truth import TruthReference

START, DAYS, SEED = date(2026, 3, 1), 9, 5101
FAULTS = [
    FaultOrder(FailureMode.LV_BATTERY_AGEING, "car-0001", -20.0),
    FaultOrder(FailureMode.TYRE_SLOW_LEAK, "car-0002", 0.0),
    FaultOrder(FailureMode.CHARGE_INLET_OVERHEATING, "car-0003", -20.0),
]
RULES = [rule for rule in load_rules() if not rule.inhibited_by]


def _nothing(_share: float) -> None:
    """Nobody waits."""


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return build_fleet(4, DAYS, SEED, START, FAULTS)


@pytest.fixture(scope="module")
def folder(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "fleet"
    write_fleet(path, fleet, _nothing)
    return path


def test_cars_together_find_what_each_finds_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.history.CARS_TOGETHER", 3)
    found = backtest(History.of(open_folder(folder)), RULES, _nothing)
    one_by_one = judge_fleet(4, DAYS, SEED, [*map(RuleDetector, RULES)], FAULTS)
    expected = fires([finding for car in one_by_one.cars for finding in car.findings])
    assert expected
    assert sorted(found.fires, key=repr) == sorted(expected, key=repr)
    assert found.vehicle_days == 4 * DAYS


def test_files_that_say_nothing_of_their_row_groups_are_read_all_the_same(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "fleet"
    shutil.copytree(folder, other)
    for path in (other / "samples").glob("*.parquet"):
        table = parquet.read_table(path)
        names = table["vehicle_id"].cast("string")
        parquet.write_table(table.set_column(0, "vehicle_id", names), path, row_group_size=700, write_statistics=False)
    told, untold = (backtest(History.of(open_folder(one)), RULES, _nothing) for one in (folder, other))
    assert told.fires
    assert sorted(untold.fires, key=repr) == sorted(told.fires, key=repr)
    assert untold.samples == told.samples


def test_fires_are_held_against_the_truth(folder: Path) -> None:
    history = History.of(open_folder(folder))
    found = backtest(history, RULES, _nothing)
    vehicles = {vehicle.vehicle_id: vehicle for vehicle in history.vehicles}
    truth = TruthReference(read_truth(folder / "truth.jsonl"), vehicles, history.span)
    scores = {rule.rule_id: score(rule, found, vehicles, truth) for rule in RULES}
    leak = scores["tyre_slow_leak"]
    assert (leak.fires, leak.true_fires, leak.precision, leak.faults, leak.recall) == (1, 1, 1.0, 1, 1.0)
    assert leak.alerts_per_vehicle_month == pytest.approx(30 / (4 * DAYS), abs=1e-3)
    assert leak.models == {vehicles["car-0002"].model: 1}
    assert (leak.per_shift.shifts, leak.per_shift.max, leak.without_verdict) == (3 * DAYS, 1, 0)
    assert scores["isolation_low"].recall is None
    rows = beside([leak], [scores["isolation_low"]])
    assert [(row["rule"], row["fires before"], row["fires after"] is None) for row in rows] == [
        ("tyre_slow_leak", 1, True),
        ("isolation_low", None, False),
    ]


def test_what_is_no_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"vehicles\.parquet cannot be read"):
        open_folder(tmp_path)


def test_vehicles_and_events_may_tell_of_software_but_need_not(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / f"{START}.parquet").touch()
    at, later = (datetime(2026, 3, day, 9, tzinfo=UTC) for day in (1, 2))
    bare: dict[str, object] = {"vehicle_id": "car-1", "registered_at": at}

    def read(*events: dict[str, object], **told: object) -> tuple[SoftwareVersion, ...]:
        parquet.write_table(pa.Table.from_pylist([*events], schema=EVENTS), tmp_path / "events.parquet")
        parquet.write_table(pa.Table.from_pylist([bare | told]), tmp_path / "vehicles.parquet")
        return open_folder(tmp_path).vehicles[0].software

    def event(**said: object) -> dict[str, object]:
        usual = {"vehicle_id": "car-1", "time": later, "kind": "software", "details": '{"firmware_version": "2026.9"}'}
        return usual | said

    assert read() == read(software=[]) == ()
    entered, told = SoftwareVersion(at, "2026.8"), SoftwareVersion(later, "2026.9")
    assert read(software=[{"since": at, "version": "2026.8"}]) == (entered,)
    assert read(event(), software=[{"since": at, "version": "2026.8"}]) == (entered, told)
    assert read(event(), event(vehicle_id="car-2", time=at), event(kind="notice", time=at)) == (told,)
    assert read(event(details=None), event(details="{}")) == ()
    with pytest.raises(HistoryError, match="is no history"):
        read(event(details="2026.9"))
    with pytest.raises(HistoryError, match="timezone"):
        read(software=[{"since": at.replace(tzinfo=None), "version": "2026.8"}])


def test_simulated_cars_tell_of_their_software_on_the_first_day(folder: Path) -> None:
    known = [vehicle.software for vehicle in open_folder(folder).vehicles]
    assert all(one and one[0].since.date() == START for one in known)


def test_a_part_of_a_history_begins_with_the_samples_before_it(folder: Path) -> None:
    """What a rule looks back to is read, and not judged."""
    source = open_folder(folder)
    since, until = source.days[4], source.days[8]
    part = History.of(source, since=since, until=until, vehicles=["car-0002"])
    assert (part.days, part.vehicle_days) == (source.days[4:8], 4)
    whole, found = (backtest(one, load_rules(), _nothing) for one in (History.of(source, vehicles=["car-0002"]), part))
    assert {fire.vehicle_id for fire in found.fires} <= {"car-0002"}
    assert all(since <= fire.started_at < until for fire in found.fires)
    soft = [one for one in whole.fires if one.rule_id == "tyre_soft" and since <= one.started_at < until]
    assert [one.started_at for one in found.fires if one.rule_id == "tyre_soft"] == [one.started_at for one in soft]


def test_an_empty_part_is_refused(folder: Path) -> None:
    source = open_folder(folder)
    with pytest.raises(HistoryError, match="no whole day"):
        History.of(source, since=source.days[-1] + timedelta(hours=1))
    with pytest.raises(HistoryError, match="there is nothing of car-9"):
        History.of(source, vehicles=["car-9"])
