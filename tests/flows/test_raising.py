"""What keeps findings quiet, over a real database: held back, told once, and the same live and in hindsight."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from config.clock import Clock, open_clock
from features.tyres import WHEELS
from flows.diagnose import DiagnosisSummary, diagnose
from flows.order import open_tickets
from storage import alerts, events, findings, held_findings, silences, vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.a_visit import CATALOGUE
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from tickets.alert import Alert
from tickets.holding import PATIENCE, Outcome
from tickets.silence import Lift, Silence, SilenceKind
from vehicle.batch import Event, EventBatch, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.finding import Severity
from vehicle.moment import instant

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CAR, TWIN = "car-1", "car-2"
SOUND, SOFT = 0.0, -40.0
"""kPa of the rear left tyre against the others."""
LEAK = [SOUND, SOUND, SOFT, SOFT, SOFT, SOFT, SOFT, SOFT]
"""It is told of on day 3."""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        for vehicle_id in (CAR, TWIN):
            vehicles.register(opened, a_vehicle(vehicle_id=vehicle_id, vin=None))
        opened.commit()
        yield opened


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    clock = open_clock("data", tmp_path)
    clock.advance(START + 8 * DAY + timedelta(minutes=5))
    return clock


def send(connection: Connection, day: int, gap: float, vehicle_id: str = CAR) -> None:
    """A day's tyre pressures every two hours, sent two minutes after its end."""
    times = instant(START + day * DAY) + np.arange(12) * np.timedelta64(2, "h")
    columns = {f"tyre_pressure_{wheel}_kpa": np.full(12, 290.0) for wheel in WHEELS}
    columns |= {f"tyre_temp_{wheel}_c": np.full(12, 20.0) for wheel in WHEELS}
    columns["tyre_pressure_rl_kpa"] += gap
    sent = START + (day + 1) * DAY + timedelta(minutes=2)
    store_batch(connection, BatchKey(vehicle_id, "00000000000000a1", day + 1), times, columns, sent)


def tell_code(connection: Connection, code: str, *told: tuple[float, DtcStatus], vehicle_id: str = CAR) -> None:
    """A trouble code's status on some days."""
    happened = tuple(
        Event(START + day * DAY, EventKind.TROUBLE_CODE, DiagnosticTroubleCode(code, status)) for day, status in told
    )
    with connection.transaction():
        events.record(
            connection, [EventBatch(vehicle_id, "00000000000000b1", 1, START + 5 * DAY, happened)], START + 5 * DAY
        )


def keep_quiet(
    connection: Connection, starts: float, ends: float, vehicle_id: str | None = CAR, **changes: Any
) -> Silence:
    """From one day to another."""
    entry = Silence(
        0,
        SilenceKind.SUPPRESSION,
        START + starts * DAY,
        START + ends * DAY,
        "K. Berg",
        "known",
        START,
        vehicle_id=vehicle_id,
    )
    with connection.transaction():
        return silences.add(connection, replace(entry, **changes))


def lift(connection: Connection, entry: Silence, day: float, *seen_to: str) -> None:
    with connection.transaction():
        silences.lift(connection, Lift(entry.silence_id, START + day * DAY, "A. Roth", "done", seen_to))


def open_alerts(connection: Connection, vehicle_id: str = CAR) -> list[Alert]:
    with connection.transaction():
        return alerts.list_alerts(connection, vehicle_id=vehicle_id)


def outcomes(connection: Connection) -> list[Outcome | None]:
    with connection.transaction():
        return [one.outcome for one in held_findings.list_held(connection)]


def test_a_finding_is_held_back_and_told_once_when_the_entry_ends(connection: Connection, clock: Clock) -> None:
    keep_quiet(connection, 0, 6.5, detector="tyre_far_below_others")
    for day in range(6):
        send(connection, day, LEAK[day])
        summary = diagnose(connection, clock, until=START + (day + 1) * DAY)
        assert (summary.findings, summary.held) == ((1, 1) if day == 3 else (0, 0))
    assert open_alerts(connection) == []
    assert outcomes(connection) == [None]
    assert open_tickets(connection, CATALOGUE, clock).tickets_opened == 0
    send(connection, 6, SOFT)
    assert diagnose(connection, clock, until=START + 7 * DAY).alerts == 1
    assert diagnose(connection, clock) == DiagnosisSummary()
    (alert,) = open_alerts(connection)
    assert ((alert.opened_at - START) // DAY, alert.finding_count) == (3, 1)
    assert alert.latest_finding_id
    assert outcomes(connection) == [Outcome.RAISED]


def test_what_ends_before_the_entry_does_is_never_told(connection: Connection, clock: Clock) -> None:
    keep_quiet(connection, 0, 20)
    for day, gap in enumerate([SOUND, SOFT, SOFT, SOUND, SOUND, SOUND, SOUND]):
        send(connection, day, gap)
    diagnose(connection, clock)
    clock.advance(START + 40 * DAY)
    assert diagnose(connection, clock) == DiagnosisSummary()
    assert open_alerts(connection) == []
    assert outcomes(connection) == [Outcome.ENDED]


def test_another_car_is_told_of_at_once_and_a_lift_tells_of_the_rest(connection: Connection, clock: Clock) -> None:
    entry = keep_quiet(connection, 0, 50)
    for day in range(8):
        for vehicle_id in (CAR, TWIN):
            send(connection, day, LEAK[day], vehicle_id)
    diagnose(connection, clock)
    assert (len(open_alerts(connection)), len(open_alerts(connection, TWIN))) == (0, 1)
    lift(connection, entry, 7.9)
    assert diagnose(connection, clock).alerts == 1
    assert diagnose(connection, clock) == DiagnosisSummary()
    assert len(open_alerts(connection)) == 1


def test_a_car_that_falls_silent_is_told_of_after_some_days(connection: Connection, clock: Clock) -> None:
    keep_quiet(connection, 0, 8)
    for day in range(5):
        send(connection, day, LEAK[day])
    diagnose(connection, clock)
    clock.advance(START + 8 * DAY + PATIENCE - timedelta(minutes=1))
    assert diagnose(connection, clock).alerts == 0
    clock.advance(START + 8 * DAY + PATIENCE)
    assert diagnose(connection, clock).alerts == 1


def test_live_with_restarts_and_hindsight_open_the_same_alerts(
    connection: Connection, clock: Clock, database_url: str
) -> None:
    """Two overlapping entries, one of them lifted; and a fault that goes on, in pieces and at once."""
    for vehicle_id in (CAR, TWIN):
        keep_quiet(connection, 0, 3.5, vehicle_id)
        lift(connection, keep_quiet(connection, 3.2, 9, vehicle_id), 5.3)
    for day, gap in enumerate(LEAK):
        send(connection, day, gap)
        diagnose(database_url, clock, until=START + (day + 1) * DAY)
        send(connection, day, gap, TWIN)
    diagnose(database_url, clock)
    (live,), (hindsight,) = open_alerts(connection), open_alerts(connection, TWIN)
    same: dict[str, Any] = {"alert_id": live.alert_id, "vehicle_id": CAR, "latest_finding_id": live.latest_finding_id}
    assert replace(hindsight, **same) == live


def test_a_crash_in_the_middle_neither_loses_nor_repeats_what_was_held_back(
    connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_quiet(connection, 0, 6.5)
    for day in range(8):
        send(connection, day, LEAK[day])
    diagnose(connection, clock, until=START + 5 * DAY)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("storage.alerts.save", crash)
        with pytest.raises(KeyboardInterrupt):
            diagnose(connection, clock)
    assert outcomes(connection) == [None]
    assert diagnose(connection, clock).alerts == 1
    (alert,) = open_alerts(connection)
    assert (alert.finding_count, outcomes(connection)) == (1, [Outcome.RAISED])


def test_an_open_alert_that_is_quiet_makes_no_ticket_until_the_entry_ends(connection: Connection, clock: Clock) -> None:
    for day in range(8):
        send(connection, day, LEAK[day])
    diagnose(connection, clock)
    keep_quiet(connection, 8, 9)
    summary = open_tickets(connection, CATALOGUE, clock)
    assert (summary.tickets_opened, dict(summary.waiting)) == (0, {"silenced": 1})
    clock.advance(START + 9 * DAY)
    assert open_tickets(connection, CATALOGUE, clock).tickets_opened == 1


def test_what_a_car_tells_in_a_workshop_is_not_judged_whenever_that_becomes_known(
    connection: Connection, clock: Clock
) -> None:
    """On days 2 to 4 a wheel is off: known before, on one car, and only afterwards on the other."""
    keep_quiet(connection, 2, 5, kind=SilenceKind.WORKSHOP)
    gaps = [SOUND, SOUND, SOFT, SOFT, SOFT, SOUND, SOUND, SOUND]
    for day, gap in enumerate(gaps):
        send(connection, day, gap)
        send(connection, day, gap, TWIN)
    diagnose(connection, clock)
    assert open_alerts(connection) == []
    (untold,) = open_alerts(connection, TWIN)
    assert (untold.opened_at - START) // DAY == 3
    keep_quiet(connection, 2, 5, TWIN, kind=SilenceKind.WORKSHOP)
    assert diagnose(connection, clock).vehicle_days == 8
    assert diagnose(connection, clock) == DiagnosisSummary()
    with connection.transaction():
        (claim, *ends) = [one.finding for one in findings.of_vehicle(connection, TWIN)]
        assert [one.finding for one in findings.of_vehicle(connection, CAR)] == []
    assert not claim.cleared
    assert ends
    assert all(one.cleared for one in ends)


def test_what_a_workshop_has_seen_to_ends_what_is_latched_even_if_it_says_so_later(
    connection: Connection, clock: Clock
) -> None:
    """The interlock's code is confirmed on day 1, and cleared in the workshop on day 4."""
    stays = {}
    for vehicle_id in (CAR, TWIN):
        tell_code(connection, "P0A0A", (1.5, DtcStatus(9)), (4.2, DtcStatus(0)), vehicle_id=vehicle_id)
        stays[vehicle_id] = keep_quiet(connection, 3, 5, vehicle_id, kind=SilenceKind.WORKSHOP)
        for day in range(8):
            send(connection, day, SOUND, vehicle_id)
    diagnose(connection, clock)
    assert [one.cleared_at for one in (*open_alerts(connection), *open_alerts(connection, TWIN))] == [None, None]
    lift(connection, stays[CAR], 7, "high_voltage_system")
    lift(connection, stays[TWIN], 7, "tyre")
    diagnose(connection, clock)
    (seen_to,), (not_seen_to,) = open_alerts(connection), open_alerts(connection, TWIN)
    assert (seen_to.failure_mode, seen_to.cleared_at) == ("hvil_intermittent", START + 5 * DAY)
    assert not_seen_to.cleared_at is None


def test_danger_is_told_and_ordered_at_once_whatever_is_kept_quiet(connection: Connection, clock: Clock) -> None:
    """A contactor is stuck closed."""
    keep_quiet(connection, 0, 30)
    keep_quiet(connection, 0, 30, kind=SilenceKind.SILENCE, vehicle_id=None)
    tell_code(connection, "P0AA1", (1.5, DtcStatus(9)))
    for day in range(8):
        send(connection, day, LEAK[day])
    diagnose(connection, clock)
    (alert,) = open_alerts(connection)
    assert (alert.failure_mode, alert.severity) == ("contactor_wear", Severity.DANGER)
    assert outcomes(connection) == [None]
    assert open_tickets(connection, CATALOGUE, clock).tickets_opened == 1
