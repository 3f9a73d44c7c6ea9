"""Scenario 34: several runs judge the same days at once, and the fleet has the alerts and tickets of one run."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any, Final

import numpy as np
import psycopg
import pytest

from config.clock import Clock, open_clock
from features.tyres import WHEELS
from flows.jobs import Judgement, Stack, judge_fleet
from storage import alerts, tickets, vehicles, visits
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.faults.report import ReportLine
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from tickets.alert import AlertStatus
from vehicle.moment import instant

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START: Final = datetime(2026, 3, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
DAYS: Final = 5
CARS: Final = 6
RUNS: Final = 4
SOFT_KPA: Final = -40.0
"""Of one tyre against the others: a leak that nobody needs to look at twice."""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as opened:
        for car in range(CARS):
            vehicles.register(opened, a_vehicle(vehicle_id=f"car-{car}"))
        yield opened


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Far ahead of the samples."""
    clock = open_clock("data", tmp_path)
    clock.advance(START + 100 * DAY)
    return clock


def send_day(connection: Connection, day: int, leaks: dict[int, tuple[str, int]]) -> None:
    """Every car's tyre pressures of one day; a leaking wheel is soft from some day on."""
    times = instant(START + day * DAY) + np.arange(12) * np.timedelta64(2, "h")
    for car in range(CARS):
        columns = {f"tyre_pressure_{wheel}_kpa": np.full(12, 290.0) for wheel in WHEELS}
        columns |= {f"tyre_temp_{wheel}_c": np.full(12, 20.0) for wheel in WHEELS}
        wheel, since = leaks.get(car, ("fl", DAYS))
        columns[f"tyre_pressure_{wheel}_kpa"] += SOFT_KPA if day >= since else 0
        sent_at = START + (day + 1) * DAY + timedelta(minutes=2)
        store_batch(connection, BatchKey(f"car-{car}", f"{car:016x}", day + 1), times, columns, sent_at)


def judge_at_once(stack: Stack) -> list[Judgement]:
    barrier = Barrier(RUNS)

    def judge(_: int) -> Judgement:
        barrier.wait()
        return judge_fleet(stack)

    with ThreadPoolExecutor(RUNS) as pool:
        return list(pool.map(judge, range(RUNS)))


def problems(connection: Connection) -> set[tuple[str, str, tuple[str, ...], datetime]]:
    known = alerts.list_alerts(connection, tuple(AlertStatus))
    found = {(a.vehicle_id, str(a.failure_mode), a.locations, a.opened_at) for a in known}
    assert len(found) == len(known), "an alert stands twice"
    return found


def ordered(connection: Connection) -> set[tuple[str, str, str]]:
    known = tickets.list_tickets(connection)
    found = {(t.vehicle_id, str(t.failure_mode), str(t.alert_id)) for t in known}
    assert len(found) == len(known), "a ticket stands twice"
    assert len(visits.list_visits(connection)) == len({t.vehicle_id for t in known})
    return found


@pytest.mark.scenario("34 four runs at once", quick=1, full=20)
def test_four_runs_at_once_judge_as_one(
    seed: int, scenario: str, record: Callable[[ReportLine], None], connection: Connection, clock: Clock
) -> None:
    """Day after day; then a single run over the whole history must come to the same."""
    rng = np.random.default_rng(seed)
    leaks = {
        int(car): (str(rng.choice(WHEELS)), int(rng.integers(DAYS - 2))) for car in rng.permutation(CARS)[: CARS // 2]
    }
    stack = Stack(connection.info.dsn + f" password={connection.info.password}", "", clock)
    busy, judged = 0, 0
    for day in range(DAYS):
        send_day(connection, day, leaks)
        runs = judge_at_once(stack)
        busy += sum(run.diagnosis.busy for run in runs)
        judged += sum(run.diagnosis.vehicle_days for run in runs)
        assert not all(run.diagnosis.busy for run in runs)
    live, made = problems(connection), ordered(connection)
    connection.execute("TRUNCATE findings, alerts, detector_state, visits, tickets CASCADE")
    judge_fleet(stack)
    expected, of_one = problems(connection), ordered(connection)
    episodes = {(vehicle_id, mode) for vehicle_id, mode, *_ in expected}
    record(
        ReportLine(
            scenario,
            seed,
            published=len(expected),
            stored=len(live),
            lost=len(expected - live),
            duplicated=len(live - expected) + len(made) - len({ticket[:2] for ticket in made}),
            note=f"alerts; {len(made)} tickets; {busy} of {DAYS * RUNS} runs busy",
        )
    )
    assert episodes == {(f"car-{car}", "tyre_slow_leak") for car in leaks}
    assert live == expected
    assert {ticket[:2] for ticket in made} == {ticket[:2] for ticket in of_one} == episodes
    assert judged == DAYS * CARS
    assert busy
