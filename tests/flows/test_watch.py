"""Watching over a real database: what is found at once is what whole days find, whatever comes late or is stopped."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from config.clock import Clock, open_clock
from flows.diagnose import diagnose
from flows.watch import Watch, WatchSummary
from flows.watching import WatchedAlreadyError, watch_once
from rules.detector import RuleDetector
from rules.engine.judge import judge_all
from rules.loader import CATALOGUE
from storage import alerts, findings, silences, vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.a_rule import a_rule, steps
from tests.support.stored_samples import store_batch, store_events
from tests.support.windows import a_vehicle
from tickets.silence import Silence, SilenceKind
from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.finding import Finding, Severity
from vehicle.moment import instant

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEP = timedelta(minutes=10)
CAR, BOOT = "car-1", "00000000000000a1"
SOUND, FLAT = 12.8, 11.0
LOW = a_rule(
    "avg(lv_voltage_v, 30 min) < 12 V",
    "avg(lv_voltage_v, 30 min) > 12.5 V",
    keep_firing_for="20 min",
    ladder=steps("avg(lv_voltage_v, 30 min) < 11.3 V"),
)
CODED = a_rule('code("BMS_a151", confirmed)', 'not code("BMS_a151", confirmed)', id="coded")


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


def send(connection: Connection, number: int, volts: Sequence[float], vehicle_id: str = CAR) -> None:
    """A batch of samples ten minutes apart: batch `number` of so many, sent as it ends."""
    first = START + (number - 1) * len(volts) * STEP
    times = instant(first) + np.arange(len(volts)) * np.timedelta64(10, "m")
    sent = first + len(volts) * STEP
    store_batch(connection, BatchKey(vehicle_id, BOOT, number), times, {"lv_voltage_v": np.array(volts)}, sent)


def send_code(connection: Connection, seq: int, at: datetime, status: int) -> None:
    code = DiagnosticTroubleCode("BMS_a151", DtcStatus(status))
    store_events(connection, BatchKey(CAR, BOOT, seq), [Event(at, EventKind.TROUBLE_CODE, code)], at)


def told(connection: Connection, vehicle_id: str = CAR) -> list[tuple[str, datetime, int, bool]]:
    stored = [one.finding for one in findings.of_vehicle(connection, vehicle_id)]
    return [(one.detector, one.observed_at, int(one.severity), one.cleared) for one in stored]


@pytest.fixture
def by_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole days are judged by the same made-up rules."""
    monkeypatch.setattr("flows.diagnose.all_detectors", lambda _: (RuleDetector(LOW), RuleDetector(CODED)))


def test_what_arrives_is_found_with_the_next_look_and_once(connection: Connection, clock: Clock) -> None:
    watch = Watch([LOW], clock)
    send(connection, 1, [SOUND] * 6)
    assert watch.look(connection) == WatchSummary(vehicles=1, again=1, samples=6)
    assert watch.look(connection) == WatchSummary()
    send(connection, 2, [FLAT] * 6)
    assert watch.look(connection) == WatchSummary(vehicles=1, samples=6, findings=2, alerts=1)
    (alert,) = alerts.list_alerts(connection)
    assert (alert.failure_mode, alert.severity) == ("lv_battery_ageing", Severity.CRITICAL)
    assert Watch([LOW], clock).look(connection) == WatchSummary(vehicles=1, again=1, samples=12)
    send(connection, 3, [SOUND] * 12)
    assert watch.look(connection).findings == 1
    assert told(connection)[-1] == ("made_up", START + timedelta(minutes=260), 2, True)


@pytest.mark.usefixtures("by_days")
def test_the_day_finds_the_same_and_is_gone_on_from(connection: Connection, clock: Clock) -> None:
    watch = Watch([LOW], clock)
    for number, volts in enumerate([SOUND, FLAT, SOUND, FLAT] * 8, 1):
        send(connection, number, [volts] * 6)
        watch.look(connection)
    found = told(connection)
    assert {cleared for *_, cleared in found} == {True, False}
    assert diagnose(connection, clock).findings == 0
    send(connection, 33, [FLAT] * 6)
    assert watch.look(connection).again == 1
    send(connection, 34, [FLAT] * 6)
    assert watch.look(connection) == WatchSummary(vehicles=1, samples=6)
    connection.execute("TRUNCATE findings, alerts, detector_state CASCADE")
    Watch([LOW], clock).look(connection)
    assert told(connection)[: len(found)] == found


def test_a_claim_that_late_samples_do_not_bear_out_is_taken_back(connection: Connection, clock: Clock) -> None:
    watch = Watch([LOW], clock)
    send(connection, 1, [SOUND] * 2)
    send(connection, 3, [FLAT] * 2)
    assert watch.look(connection).alerts == 1
    assert not told(connection)[-1][3]
    send(connection, 2, [16.0] * 2)
    assert watch.look(connection) == WatchSummary(vehicles=1, again=1, samples=6, findings=1, alerts=1)
    (alert,) = alerts.list_alerts(connection)
    assert alert.cleared_at == START + 5 * STEP + timedelta(microseconds=1)


@pytest.mark.usefixtures("by_days")
def test_a_claim_that_a_day_judged_meanwhile_does_not_bear_out_is_not_left_open(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*arguments: Any) -> list[Finding]:
        found = judge_all(*arguments)
        monkeypatch.setattr("flows.watch.judge_all", judge_all)
        send(connection, 2, [16.0] * 2)
        send(connection, 73, [SOUND] * 2)
        diagnose(connection, clock)
        return found

    watch = Watch([LOW], clock)
    send(connection, 1, [SOUND] * 2)
    send(connection, 3, [FLAT] * 2)
    monkeypatch.setattr("flows.watch.judge_all", slowly)
    assert watch.look(connection).findings == 0
    while watch.is_behind:
        watch.look(connection)
    assert [one for one in told(connection) if not one[3]] == []


def test_what_was_told_in_a_workshop_is_taken_back_when_the_stay_becomes_known(
    connection: Connection, clock: Clock
) -> None:
    watch = Watch([LOW], clock)
    send(connection, 1, [SOUND] * 6)
    send(connection, 2, [FLAT] * 6)
    assert watch.look(connection).alerts == 1
    span = (START + HOUR, START + 3 * HOUR)
    stay = Silence(0, SilenceKind.WORKSHOP, *span, "ann", "brought in", START, vehicle_id=CAR)
    silences.add(connection, stay)
    watch.look(connection)
    assert watch.look(connection).alerts == 1
    assert [alert.cleared_at is not None for alert in alerts.list_alerts(connection)] == [True]


def test_trouble_codes_are_told_with_the_samples_around_them(connection: Connection, clock: Clock) -> None:
    watch = Watch([CODED], clock)
    send(connection, 1, [SOUND] * 6)
    send_code(connection, 100, START + HOUR + STEP / 2, 8)
    assert watch.look(connection).findings == 0
    send(connection, 2, [SOUND] * 6)
    assert watch.look(connection).findings == 1
    send_code(connection, 101, START + HOUR + 4.5 * STEP, 0)
    assert watch.look(connection) == WatchSummary(vehicles=1, again=1, samples=12, findings=1, alerts=1)
    assert [one[1:] for one in told(connection)] == [
        (START + HOUR + STEP / 2, 2, False),
        (START + HOUR + 4.5 * STEP, 2, True),
    ]


def test_an_entry_that_becomes_visible_after_a_later_one_is_seen(
    connection: Connection, clock: Clock, database_url: str
) -> None:
    vehicles.register(connection, a_vehicle(vehicle_id="car-2"))
    for name in (CAR, "car-2"):
        send(connection, 1, [SOUND] * 6, name)
    watch = Watch([LOW], clock)
    watch.look(connection)
    with connect(database_url) as slow:
        with slow.transaction():
            send(slow, 2, [FLAT] * 6, "car-2")
            send(connection, 2, [FLAT] * 6)
            assert watch.look(connection).vehicles == 1
        assert watch.look(connection).vehicles == 1
    assert told(connection, "car-2") == told(connection)


def test_more_cars_than_are_kept_or_looked_at_at_once(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.watch.CARS_TOGETHER", 2)
    watch = Watch([LOW], clock, most_cars=1)
    names = [f"car-{number}" for number in range(1, 6)]
    for name in names[1:]:
        vehicles.register(connection, a_vehicle(vehicle_id=name))
    for number, volts in enumerate([SOUND, FLAT], 1):
        for name in names:
            send(connection, number, [volts] * 6, name)
        looks = [watch.look(connection).vehicles]
        while watch.is_behind:
            looks.append(watch.look(connection).vehicles)
        assert looks == [2, 2, 1]
    assert {name: told(connection, name) for name in names} == dict.fromkeys(names, told(connection))
    assert len(told(connection)) == 2


def test_cars_with_much_to_judge_are_judged_a_few_at_a_time(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.watch.SAMPLES_TOGETHER", 12)
    watch = Watch([LOW], clock)
    for name, samples in (("car-2", 6), ("car-3", 6), ("car-4", 30)):
        vehicles.register(connection, a_vehicle(vehicle_id=name))
        send(connection, 1, [FLAT] * samples, name)
    send(connection, 1, [FLAT] * 6)
    looks = [watch.look(connection).samples]
    while watch.is_behind:
        looks.append(watch.look(connection).samples)
    assert sum(looks) == 48
    assert max(looks) == 30
    assert len(looks) > 2
    assert all(told(connection, name) for name in (CAR, "car-2", "car-3", "car-4"))


@pytest.mark.usefixtures("by_days")
@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_of_arrival_with_restarts_all_that_is_true_is_found_and_nothing_else_stays(
    connection: Connection, clock: Clock, database_url: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    volts = np.repeat(rng.choice([SOUND, 12.2, 11.8, FLAT], 36), rng.integers(1, 16, 36))
    batches = [*enumerate(np.array_split(volts[: len(volts) // 4 * 4], len(volts) // 4), 1)]
    vehicles.register(connection, a_vehicle(vehicle_id="hindsight"))
    order = np.argsort(np.arange(len(batches)) + rng.exponential(2, len(batches)) * (rng.random(len(batches)) < 0.3))
    watch = Watch([LOW], clock)
    for place in order.tolist():
        send(connection, batches[place][0], batches[place][1].tolist())
        action = rng.random()
        if action < 0.5:
            watch.look(connection)
        elif action < 0.6:
            watch = Watch([LOW], clock)
        elif action < 0.7:
            diagnose(database_url, clock)
    Watch([LOW], clock).look(connection)
    for number, values in batches:
        send(connection, number, values.tolist(), "hindsight")
    Watch([LOW], clock).look(connection)
    true, live = told(connection, "hindsight"), told(connection)
    assert len(true) > 3
    assert set(true) <= set(live)
    assert live[-1][3] == true[-1][3]
    assert len(set(live)) == len(live)


def test_a_second_watcher_is_refused_and_told_of_the_first(
    connection: Connection, clock: Clock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.watching._PATIENCE_S", 0.3)
    send(connection, 1, [FLAT] * 6)
    assert watch_once(database_url, clock, CATALOGUE).samples == 6
    with connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(71803)")
        with pytest.raises(WatchedAlreadyError, match=f"by the database's process {other.info.backend_pid}"):
            watch_once(database_url, clock, CATALOGUE)


def test_rules_are_taken_over_between_two_looks(connection: Connection, clock: Clock) -> None:
    stricter = a_rule("avg(lv_voltage_v, 30 min) < 13 V", "avg(lv_voltage_v, 30 min) > 13.5 V")
    watch = Watch([LOW], clock)
    send(connection, 1, [SOUND] * 6)
    assert watch.look(connection).findings == 0
    watch.take_rules([stricter])
    assert watch.look(connection).findings == 1
