"""Rules for software versions over a real database: watched, by days and in one run they find the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from config.clock import Clock, open_clock
from flows.backtest import backtest, fires
from flows.database_history import open_database
from flows.diagnose import diagnose
from flows.history import History
from flows.watch import Watch, WatchSummary
from rules.detector import RuleDetector
from storage import findings, software, vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.a_rule import a_rule
from tests.support.stored_samples import store_batch, store_events
from tests.support.windows import a_vehicle
from vehicle.batch import Event, EventKind
from vehicle.moment import instant
from vehicle.software import SoftwareVersion

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, STEP = timedelta(hours=1), timedelta(minutes=10)
SOUND, FLAT = 12.8, 11.0
LOW = a_rule(
    "avg(lv_voltage_v, 30 min) < 12 V",
    "avg(lv_voltage_v, 30 min) > 12.5 V",
    keep_firing_for="20 min",
    applies_to={"software": ["2026.4", "2026.8.*"]},
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as opened:
        vehicles.register(opened, a_vehicle())
        yield opened


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Far ahead of the samples; whole days are judged by the same rule."""
    monkeypatch.setattr("flows.diagnose.all_detectors", lambda _: (RuleDetector(LOW),))
    clock = open_clock("data", tmp_path)
    clock.advance(START + timedelta(days=100))
    return clock


def send(connection: Connection, hour: int, volts: float, vehicle_id: str = "car-1") -> None:
    """An hour's samples."""
    first = START + hour * HOUR
    times = instant(first) + np.arange(6) * np.timedelta64(10, "m")
    key = BatchKey(vehicle_id, "00000000000000a1", hour + 1)
    store_batch(connection, key, times, {"lv_voltage_v": np.full(6, volts)}, first + HOUR)


def enter(connection: Connection, since: datetime, version: str, vehicle_id: str = "car-1") -> None:
    software.enter(connection, vehicle_id, SoftwareVersion(since, version), START)


def told(connection: Connection, vehicle_id: str = "car-1") -> list[tuple[datetime, bool]]:
    return [(one.finding.observed_at, one.finding.cleared) for one in findings.of_vehicle(connection, vehicle_id)]


def test_days_are_judged_again_when_other_software_becomes_known(connection: Connection, clock: Clock) -> None:
    for hour in range(49):
        send(connection, hour, FLAT)
    diagnose(connection, clock)
    assert told(connection) == [], "no version is known"
    enter(connection, START + 3 * HOUR, "2026.8.1")
    assert diagnose(connection, clock).vehicle_days == 2
    begun = (START + 3 * HOUR, False)
    assert told(connection) == [begun]
    enter(connection, START + 30 * HOUR, "2026.9")
    assert diagnose(connection, clock).findings == 1
    assert told(connection) == [begun, (START + 30 * HOUR + 2 * STEP, True)]
    enter(connection, START + 60 * HOUR, "2026.4")
    assert diagnose(connection, clock).vehicle_days == 0, "nothing of what was judged has changed"


def test_no_day_is_judged_again_for_rules_that_ask_for_no_software(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = a_rule("lv_voltage_v < 12 V", "lv_voltage_v > 12.5 V")
    monkeypatch.setattr("flows.diagnose.all_detectors", lambda _: (RuleDetector(plain),))
    watch = Watch([plain], clock)
    for hour in range(25):
        send(connection, hour, FLAT)
    watch.look(connection)
    assert diagnose(connection, clock).vehicle_days == 1
    enter(connection, START, "2026.8.1")
    assert diagnose(connection, clock).vehicle_days == 0
    watch.look(connection)
    assert watch.look(connection) == WatchSummary()


def test_a_watched_claim_ends_when_the_update_becomes_known(connection: Connection, clock: Clock) -> None:
    enter(connection, START, "2026.8.1")
    watch = Watch([LOW], clock)
    for hour in range(3):
        send(connection, hour, FLAT)
    assert watch.look(connection).findings == 1
    enter(connection, START + HOUR, "2026.9")
    watch.look(connection)
    assert watch.look(connection).findings == 1
    assert told(connection) == [(START, False), (START + HOUR + 2 * STEP, True)]


def test_rules_know_of_the_software_that_a_car_tells_itself(connection: Connection, clock: Clock) -> None:
    def tell(number: int, at: datetime, version: str) -> None:
        key = BatchKey("car-1", "00000000000000b1", number)
        store_events(connection, key, [Event(at, EventKind.SOFTWARE, None, {"firmware_version": version})], at)

    for hour in range(25):
        send(connection, hour, FLAT)
    for hour in range(3, 9):
        tell(hour, START + hour * HOUR, "2026.8.1")
    tell(9, START + 9 * HOUR, "2026.9")
    assert diagnose(connection, clock).vehicle_days == 1
    assert told(connection) == [(START + 3 * HOUR, False), (START + 9 * HOUR + 2 * STEP, True)]


@pytest.mark.parametrize("seed", range(2))
def test_watched_by_days_and_in_one_run_the_same_is_found_whenever_software_becomes_known(
    connection: Connection, clock: Clock, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    volts = [*np.repeat(rng.choice([SOUND, FLAT], 24), 3)[:70].tolist(), SOUND, SOUND, SOUND]
    updates = {
        START + int(hour) * HOUR + STEP / 2: str(rng.choice(["2026.4", "2026.8.1", "2026.9"]))
        for hour in rng.integers(0, 70, 9)
    }
    known_at = {since: int(rng.integers(0, 72)) for since in updates}
    watch = Watch([LOW], clock)
    for hour, value in enumerate(volts):
        send(connection, hour, value)
        for since, version in updates.items():
            if known_at[since] == hour:
                enter(connection, since, version)
        action = rng.random()
        if action < 0.4:
            watch.look(connection)
        elif action < 0.5:
            watch = Watch([LOW], clock)
        elif action < 0.7:
            diagnose(connection, clock)
    diagnose(connection, clock)
    watch.look(connection)
    watch.look(connection)
    vehicles.register(connection, a_vehicle(vehicle_id="hindsight"))
    for since, version in updates.items():
        enter(connection, since, version, "hindsight")
    for hour, value in enumerate(volts):
        send(connection, hour, value, "hindsight")
    Watch([LOW], clock).look(connection)
    true, live = told(connection, "hindsight"), told(connection)
    assert len(true) > 3
    assert diagnose(connection, clock, vehicles=["hindsight"]).findings == 0
    history = History.of(open_database(connection, clock.now()), vehicles=["hindsight"])
    stored = [one.finding for one in findings.of_vehicle(connection, "hindsight")]
    assert sorted(backtest(history, (LOW,), lambda _: None).fires, key=repr) == sorted(fires(stored), key=repr)
    assert set(true) <= set(live)
    assert len(set(live)) == len(live)
    assert live[-1][1]
    assert sum(not cleared for _, cleared in live) == sum(cleared for _, cleared in live), "nothing else stays"
