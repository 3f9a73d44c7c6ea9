"""A history in the database: the backtest over it finds what `vsc diagnose` found, at the end and at every time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from config.clock import Clock, open_clock
from features.tyres import WHEELS
from flows.backtest import Fire, backtest, episodes, fire, fires
from flows.database_history import open_database
from flows.diagnose import diagnose
from flows.history import History, HistoryError
from flows.known_then import backtest_known
from rules.detector import RuleDetector
from rules.loader import load_rules
from simulator.faults import FaultOrder
from simulator.fleet import build_fleet
from storage import events, findings, ledger, silences, software, vehicles
from storage.connection import connect
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from tickets.silence import Lift, Silence, SilenceKind
from vehicle.batch import EventBatch
from vehicle.failure import FailureMode
from vehicle.finding import Finding
from vehicle.moment import instant
from vehicle.software import SoftwareVersion

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RULES = load_rules()
SOUND, SOFT = 0.0, -40.0
"""kPa of the rear left tyre against the others."""
FAULTS = [
    FaultOrder(FailureMode.LV_BATTERY_AGEING, "car-0001", -20.0),
    FaultOrder(FailureMode.TYRE_SLOW_LEAK, "car-0002", 0.0),
    FaultOrder(FailureMode.HVIL_INTERMITTENT, "car-0003", -5.0),
]
IN_WORKSHOP = (START + 4 * DAY + 9 * HOUR, START + 5 * DAY + 11 * HOUR)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as opened:
        yield opened


def _nothing(_share: float) -> None:
    """Nobody waits."""


def _found(connection: Connection, vehicle_ids: list[str]) -> list[Finding]:
    rules = {rule.rule_id for rule in RULES}
    stored = [one.finding for name in vehicle_ids for one in findings.of_vehicle(connection, name)]
    return [one for one in stored if one.detector in rules]


def _stay(connection: Connection, vehicle_id: str, created_at: datetime, lifted_at: datetime) -> None:
    start, end = IN_WORKSHOP
    entry = silences.add(
        connection,
        Silence(0, SilenceKind.WORKSHOP, start, end + DAY, "engineer", "brakes", created_at, vehicle_id=vehicle_id),
    )
    silences.lift(connection, Lift(entry.silence_id, lifted_at, "engineer", "done", ("tyre",)))


def test_a_backtest_finds_what_diagnose_finds(connection: Connection, tmp_path: Path, monkeypatch: Any) -> None:
    """Samples, trouble codes and a stay; cars that begin and end at different times, read two at a time."""
    monkeypatch.setattr("flows.history.CARS_TOGETHER", 2)
    fleet = build_fleet(3, 9, 5101, START.date(), FAULTS)
    for car in fleet.vehicles:
        vehicles.register(connection, car.record)
    _stay(connection, "car-0002", IN_WORKSHOP[0], IN_WORKSHOP[1])
    for index in range(fleet.days):
        sent = START + (index + 1) * DAY + timedelta(minutes=1)
        for name, day in fleet.day(index):
            if name == "car-0002" and index == 0:
                continue
            at = sent - timedelta(minutes=5 * (name == "car-0003"))
            store_batch(connection, BatchKey(name, "00000000000000a1", 2 * index + 1), day.times, day.columns, at)
            _store_events(connection, name, 2 * index + 2, list(day.events), at)
    clock = open_clock("data", tmp_path)
    clock.advance(START + 20 * DAY)
    diagnose(connection, clock)
    history = History.of(open_database(connection, clock.now()))
    assert history.vehicle_days == 3 + 8 + 8  # the first car falls silent with its empty battery
    found = backtest(history, RULES, _nothing)
    expected = fires(_found(connection, [one.vehicle_id for one in history.vehicles]))
    assert len({one.vehicle_id for one in expected}) == len(FAULTS)
    assert sorted(found.fires, key=repr) == sorted(expected, key=repr)
    known = backtest_known(connection, history, RULES, _nothing)
    assert {one.started_at for one in known.fires} == {one.started_at for one in expected}
    assert all(one.known_at and one.known_at > one.started_at and not one.taken_back for one in known.fires)
    assert known.samples > 0


def _store_events(connection: Connection, vehicle_id: str, seq: int, told: list[Any], at: datetime) -> None:
    if told:
        batch = EventBatch(vehicle_id, "00000000000000a1", seq, at, tuple(told))
        events.record(connection, [batch], at)
        entry = LedgerEntry(
            BatchKey(vehicle_id, batch.boot, seq), BatchKind.EVENT, at, bytes(32), len(told), sent_at=at
        )
        ledger.record(connection, [entry])


def _any_order(seed: int) -> list[tuple[int, float, float]]:
    """Day, what its tyre is like, and how many hours after its end it arrives."""
    rng = np.random.default_rng(seed)
    return [(day, float(rng.choice([SOUND, SOFT])), float(rng.choice([0.1, 0.5, 30.2, 75.4]))) for day in range(10)]


IN_ORDER_BUT_ONE = [(0, SOUND, 0.1), (1, SOFT, 0.1), (2, SOUND, 27.2), (3, SOFT, 0.1), (4, SOUND, 0.1)]
"""What is said when the fourth day arrives is not borne out by the third."""


@pytest.mark.parametrize(("days", "has_stay"), [(_any_order(5), True), (IN_ORDER_BUT_ONE, False)])
def test_what_was_known_at_every_time_is_what_diagnose_said_then(
    connection: Connection,
    tmp_path: Path,
    days: list[tuple[int, float, float]],
    has_stay: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    """Days of a tyre that is soft and sound arrive in any order; a stay becomes known and ends; runs at full hours."""
    vehicles.register(connection, a_vehicle(vehicle_id="car-1"))
    clock = open_clock("data", tmp_path)
    happens: dict[datetime, Callable[[datetime], None]] = {
        START + (day + 1) * DAY + late * HOUR: partial(_send, connection, day, gap) for day, gap, late in days
    }
    if has_stay:
        told_at = IN_WORKSHOP[0] + 20 * HOUR
        happens |= {told_at: partial(_enter, connection), told_at + 30 * HOUR: partial(_leave, connection)}
    said = _said(connection, clock, happens)
    history = History.of(open_database(connection, clock.now()))
    found = backtest_known(connection, history, RULES, _nothing)
    assert sorted(found.fires, key=repr) == sorted(_fires(said), key=repr)
    assert [one for one in found.fires if one.taken_back]


def test_software_is_known_when_it_was_entered(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A soft tyre under rules for one version: an update from before it, known late, takes back what was claimed."""
    rules = tuple(replace(rule, software=("2026.8.*",)) for rule in RULES)
    monkeypatch.setattr("flows.diagnose.all_detectors", lambda _: tuple(map(RuleDetector, rules)))
    vehicles.register(connection, a_vehicle(vehicle_id="car-1"))
    clock = open_clock("data", tmp_path)
    happens: dict[datetime, Callable[[datetime], None]] = {
        START + (day + 1) * DAY + HOUR / 10: partial(_send, connection, day, SOFT if day > 2 else SOUND)
        for day in range(8)
    }
    for entered_at, since, version in ((0, 0, "2026.8.1"), (5, 2, "2026.9"), (6, 6, "2026.8.2")):
        at = START + entered_at * DAY + 2.3 * HOUR
        one = SoftwareVersion(START + since * DAY + HOUR / 2, version)
        happens[at] = partial(software.enter, connection, "car-1", one)
    said = _said(connection, clock, happens)
    history = History.of(open_database(connection, clock.now()))
    known = backtest_known(connection, history, rules, _nothing)
    assert sorted(known.fires, key=repr) == sorted(_fires(said), key=repr)
    assert {one.taken_back for one in known.fires} == {True, False}


def _said(
    connection: Connection, clock: Clock, happens: Mapping[datetime, Callable[[datetime], None]]
) -> list[tuple[datetime, Finding]]:
    """What `vsc diagnose` says at the full hours after what happens, and when."""
    said: list[tuple[datetime, Finding]] = []
    for at in sorted(happens):
        happens[at](at)
        clock.advance(_full_hour(at))
        diagnose(connection, clock)
        known = {_key(one) for _, one in said}
        news = [one for one in _found(connection, ["car-1"]) if _key(one) not in known]
        said += [(_full_hour(at), one) for one in news]
    return said


def _enter(connection: Connection, at: datetime) -> None:
    start, end = IN_WORKSHOP
    kind = SilenceKind.WORKSHOP
    silences.add(connection, Silence(0, kind, start, end + 3 * DAY, "engineer", "brakes", at, vehicle_id="car-1"))


def _leave(connection: Connection, at: datetime) -> None:
    (entry,) = silences.list_silences(connection)
    silences.lift(connection, Lift(entry.silence_id, at, "engineer", "done"))


def _full_hour(at: datetime) -> datetime:
    return at + (START - at) % HOUR


def _key(one: Finding) -> tuple[object, ...]:
    return one.detector, one.observed_at, one.locations, one.cleared


def _fires(said: list[tuple[datetime, Finding]]) -> list[Fire]:
    at = {id(one): when for when, one in said}
    groups = episodes([one for _, one in said])
    backs = "What has become known since does not bear this out"
    return [fire(group, at[id(group[0])], taken_back=group[-1].evidence.summary.startswith(backs)) for group in groups]


def _send(connection: Connection, day: int, gap: float, at: datetime) -> None:
    """A day's tyre pressures every two hours."""
    times = instant(START + day * DAY) + np.arange(12) * np.timedelta64(2, "h")
    columns = {f"tyre_pressure_{wheel}_kpa": np.full(12, 290.0) for wheel in WHEELS}
    columns |= {f"tyre_temp_{wheel}_c": np.full(12, 20.0) for wheel in WHEELS}
    columns["tyre_pressure_rl_kpa"] += gap
    sent = START + (day + 1) * DAY + timedelta(minutes=2)
    store_batch(connection, BatchKey("car-1", "00000000000000a1", day + 1), times, columns, sent, received_at=at)


def test_a_database_without_a_whole_day_has_no_history(connection: Connection) -> None:
    with pytest.raises(HistoryError, match="not one whole day"):
        open_database(connection, START)
