"""The fleet's diagnosis over a real database: days in any order of arrival, restarts, and two runs at once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from config.clock import Clock, open_clock
from diagnostics.cell_peers import CellPeers
from features.tyres import WHEELS
from flows.diagnose import DiagnosisSummary, diagnose
from simulator.convoy import DayOfSamples
from simulator.faults import FaultOrder
from simulator.fleet import build_fleet
from storage import alerts, detectors, findings, vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.stored_samples import store_batch, store_events
from tests.support.windows import a_vehicle
from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.failure import FailureMode
from vehicle.finding import Finding
from vehicle.moment import instant

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CAR = "car-1"
SOUND, SOFT = 0.0, -40.0
"""kPa of the rear left tyre against the others."""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        vehicles.register(opened, a_vehicle(vehicle_id=CAR))
        opened.commit()
        yield opened


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Far ahead of the samples."""
    clock = open_clock("data", tmp_path)
    clock.advance(START + 100 * DAY)
    return clock


def send(connection: Connection, day: int, gap: float, vehicle_id: str = CAR, sent_at: datetime | None = None) -> None:
    """A day's tyre pressures every two hours, sent two minutes after its end."""
    times = instant(START + day * DAY) + np.arange(12) * np.timedelta64(2, "h")
    columns = {f"tyre_pressure_{wheel}_kpa": np.full(12, 290.0) for wheel in WHEELS}
    columns |= {f"tyre_temp_{wheel}_c": np.full(12, 20.0) for wheel in WHEELS}
    columns["tyre_pressure_rl_kpa"] += gap
    sent = sent_at or START + (day + 1) * DAY + timedelta(minutes=2)
    store_batch(connection, BatchKey(vehicle_id, "00000000000000a1", day + 1), times, columns, sent)


def told(connection: Connection, vehicle_id: str = CAR) -> list[tuple[str, int, bool]]:
    """Detector, day and whether it is the end, in the order of storing."""
    with connection.transaction():
        stored = findings.of_vehicle(connection, vehicle_id)
    return [
        (one.finding.detector, (one.finding.observed_at - START) // DAY, one.finding.cleared)
        for one in sorted(stored, key=lambda one: one.finding_id)
    ]


def judged_until(connection: Connection) -> datetime | None:
    with connection.transaction():
        place = detectors.find(connection, detectors.DIAGNOSIS, CAR)
    return place.evaluated_until if place else None


def test_days_are_judged_as_they_end_and_findings_become_one_alert(connection: Connection, clock: Clock) -> None:
    for day, gap in enumerate([SOUND, SOUND, SOFT, SOFT, SOFT]):
        send(connection, day, gap)
        summary = diagnose(connection, clock)
        assert (summary.vehicles, summary.vehicle_days) == (1, 1)
    assert told(connection) == [("tyre_far_below_others", 3, False)]
    with connection.transaction():
        (alert,) = alerts.list_alerts(connection)
        assert alert.latest_finding_id
        finding = findings.find(connection, alert.latest_finding_id)
    assert finding
    assert (alert.failure_mode, alert.locations, alert.finding_count) == ("tyre_slow_leak", ("rl",), 1)
    assert alert.opened_at == finding.observed_at


def test_a_second_run_has_nothing_to_do(connection: Connection, clock: Clock) -> None:
    for day in range(5):
        send(connection, day, SOFT)
    assert diagnose(connection, clock).findings == 1
    assert diagnose(connection, clock) == DiagnosisSummary()


def test_no_day_is_judged_before_the_car_was_in_contact_after_it(connection: Connection, clock: Clock) -> None:
    send(connection, 0, SOFT)
    send(connection, 1, SOFT, sent_at=START + DAY + timedelta(hours=23))
    assert diagnose(connection, clock).vehicle_days == 1
    assert judged_until(connection) == START + DAY
    send(connection, 2, SOFT)
    assert diagnose(connection, clock).vehicle_days == 2


def test_no_day_is_judged_beyond_the_clock_or_the_end_asked_for(connection: Connection, tmp_path: Path) -> None:
    for day in range(5):
        send(connection, day, SOUND)
    early = open_clock("data", tmp_path)
    early.advance(START + 2 * DAY + timedelta(hours=1))
    diagnose(connection, early)
    assert judged_until(connection) == START + 2 * DAY
    early.advance(START + 50 * DAY)
    diagnose(connection, early, until=START + 3 * DAY)
    assert judged_until(connection) == START + 3 * DAY


def test_only_the_cars_asked_for_are_judged(connection: Connection, clock: Clock) -> None:
    send(connection, 0, SOUND)
    vehicles.register(connection, a_vehicle(vehicle_id="car-2"))
    connection.commit()
    send(connection, 0, SOUND, vehicle_id="car-2")
    assert diagnose(connection, clock, vehicles=["car-2", "nobody"]).vehicles == 1
    assert judged_until(connection) is None


def test_a_second_run_at_the_same_time_says_busy(connection: Connection, clock: Clock, database_url: str) -> None:
    send(connection, 0, SOUND)
    with connect(database_url) as other, other.transaction():
        assert detectors.claim(other, detectors.DIAGNOSIS)
        assert diagnose(connection, clock) == DiagnosisSummary(busy=True)
    assert judged_until(connection) is None
    assert diagnose(database_url, clock).vehicle_days == 1


def test_what_a_run_finds_and_how_far_it_came_are_stored_together(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(4):
        send(connection, day, SOFT)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("storage.alerts.save", crash)
        with pytest.raises(KeyboardInterrupt):
            diagnose(connection, clock)
    assert told(connection) == []
    assert judged_until(connection) is None
    diagnose(connection, clock)
    assert told(connection) == [("tyre_far_below_others", 1, False)]


def test_a_late_day_is_judged_with_those_after_it(connection: Connection, clock: Clock) -> None:
    gaps = [SOUND, SOFT, SOFT, SOFT, SOUND, SOUND]
    for day in (0, 1, 4, 5):
        send(connection, day, gaps[day])
        diagnose(connection, clock)
    assert told(connection) == []
    for day in (3, 2):
        send(connection, day, gaps[day], sent_at=START + 6 * DAY + timedelta(minutes=5))
        diagnose(connection, clock)
    in_order = [("tyre_far_below_others", 2, False)]
    assert {one for one in told(connection) if not one[2]} >= set(in_order)
    send(connection, 6, SOUND)
    diagnose(connection, clock)
    with connection.transaction():
        (alert,) = alerts.list_alerts(connection)
    assert alert.cleared_at


def test_a_claim_that_late_samples_do_not_bear_out_is_taken_back(connection: Connection, clock: Clock) -> None:
    for day, gap in ((0, SOUND), (1, SOFT), (3, SOFT)):
        send(connection, day, gap)
        diagnose(connection, clock)
    assert told(connection) == [("tyre_far_below_others", 3, False)]
    send(connection, 2, SOUND, sent_at=START + 4 * DAY + timedelta(minutes=3))
    diagnose(connection, clock)
    assert told(connection)[-1] == ("tyre_far_below_others", 4, True)
    with connection.transaction():
        (alert,) = alerts.list_alerts(connection)
    assert alert.cleared_at == START + 4 * DAY
    assert diagnose(connection, clock) == DiagnosisSummary()


def test_a_claim_of_a_rule_that_is_gone_ends_with_the_next_day_and_once(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(5):
        send(connection, day, SOFT)
    diagnose(connection, clock)
    (claim,) = told(connection)
    monkeypatch.setattr("flows.diagnose.all_detectors", lambda _: (CellPeers(),))
    for day in (5, 6):
        send(connection, day, SOFT)
        diagnose(connection, clock)
    assert told(connection) == [claim, (claim[0], 6, True)]
    with connection.transaction():
        (alert,) = alerts.list_alerts(connection)
        assert alert.cleared_at == START + 6 * DAY
        summary = findings.of_vehicle(connection, CAR)[-1].finding.evidence.summary
    assert summary.startswith("The rule that said so is no longer in use: ")


def test_a_trouble_code_that_arrives_late_is_judged(connection: Connection, clock: Clock) -> None:
    for day in range(3):
        send(connection, day, SOUND)
    assert diagnose(connection, clock).findings == 0
    at = START + DAY + timedelta(hours=3)
    code = DiagnosticTroubleCode("P0AA6", DtcStatus.TEST_FAILED | DtcStatus.CONFIRMED)
    late = [Event(at, EventKind.TROUBLE_CODE, code)]
    store_events(connection, BatchKey(CAR, "00000000000000a1", 9), late, START + 3 * DAY + timedelta(minutes=3))
    diagnose(connection, clock)
    assert told(connection) == [("isolation_code", 1, False)]


@pytest.mark.parametrize("mode", [FailureMode.LV_BATTERY_AGEING, FailureMode.WEAK_CELL_GROUP])
def test_live_with_restarts_late_batches_and_hindsight_agree(
    connection: Connection, clock: Clock, database_url: str, mode: FailureMode
) -> None:
    """A simulated car whose days arrive one by one, one with late days, and one judged in hindsight."""
    fleet = build_fleet(1, 20, 77, START.date(), [FaultOrder(mode, "car-0001", -4.0)])
    for twin in ("live", "late", "hindsight"):
        vehicles.register(connection, replace(fleet.vehicles[0].record, vehicle_id=twin, vin=None))
    connection.commit()
    held_back: list[tuple[int, DayOfSamples]] = []
    for index in range(fleet.days):
        end = START + (index + 1) * DAY + timedelta(minutes=1)
        for _, day in fleet.day(index):
            for twin in ("live", "hindsight"):
                _store(connection, twin, index, day, end)
            if index % 5 == 3:
                held_back.append((index, day))
            else:
                _store(connection, "late", index, day, end)
        diagnose(database_url, clock, vehicles=["live", "late"])
        while index % 5 == 4 and held_back:
            number, late_day = held_back.pop()
            _store(connection, "late", number, late_day, end)
            diagnose(database_url, clock, vehicles=["late"])
    diagnose(database_url, clock, vehicles=["hindsight"])
    hindsight = _claims(connection, "hindsight")
    assert hindsight
    assert {claim[0] for claim in hindsight} <= {
        "cell_peers",
        "cell_drift",
        "cell_group_far_below",
        "cell_group_falls_fast",
        "lv_rest_low_lead_acid",
        "lv_wake_dip_deep",
        "lv_rest_low_li_ion",
    }
    assert _claims(connection, "live") == hindsight
    late = _claims(connection, "late")
    assert [claim for claim in hindsight if claim not in late] == []
    assert late[-1] == hindsight[-1]


def _store(connection: Connection, vehicle_id: str, number: int, day: DayOfSamples, sent_at: datetime) -> None:
    store_batch(connection, BatchKey(vehicle_id, "00000000000000a1", number + 1), day.times, day.columns, sent_at)


def _claims(connection: Connection, vehicle_id: str) -> list[tuple[object, ...]]:
    with connection.transaction():
        stored = [one.finding for one in findings.of_vehicle(connection, vehicle_id)]
    return [_claim(one) for one in sorted(stored, key=lambda one: (one.observed_at, one.detector))]


def _claim(one: Finding) -> tuple[object, ...]:
    life = one.remaining_useful_life
    return (
        one.detector,
        one.observed_at,
        one.score,
        one.severity,
        one.locations,
        one.evidence.summary,
        life,
        one.cleared,
    )
