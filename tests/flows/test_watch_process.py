"""The process `vsc watch`: killed again and again while a fleet speaks, and given new rules."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from config.clock import open_clock
from config.settings import CHECKOUT
from rules.loader import CATALOGUE
from storage import alerts, findings, tickets, vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from vehicle.moment import instant
from vehicle.signals import CATALOGUE as SIGNALS
from vsc.runtime.place import as_child

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]

START = datetime(2026, 3, 1, tzinfo=UTC)
WELD, DRIVE = (float(SIGNALS["bms_state"].values.index(name)) for name in ("Weld", "Drive"))
CARS = 6


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as opened:
        for car in range(CARS):
            vehicles.register(opened, a_vehicle(vehicle_id=f"car-{car}"))
        yield opened


@contextmanager
def watching(database_url: str, state: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process, killed at the end."""
    environment = {
        **os.environ,
        "VSC_DATABASE_URL": database_url,
        "VSC_STATE_DIR": str(state),
        "VSC_CLOCK": "data",
    }
    with (state / "watch.log").open("ab") as log:
        process = subprocess.Popen(
            as_child([sys.executable, "-m", "vsc", "watch", *arguments], None, signal.SIGTERM),
            stdout=log,
            stderr=log,
            env=environment,
            cwd=CHECKOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def wait_until_logged(log: Path, what: bytes, times: int = 1) -> None:
    wait_for(lambda: log.read_bytes().count(what) >= times, f"the log does not say {what!r}")


def send(connection: Connection, car: int, seq: int, state: float) -> None:
    times = instant(START + timedelta(minutes=seq)) + np.arange(3) * np.timedelta64(10, "s")
    sent_at = START + timedelta(minutes=seq + 1)
    columns = {"bms_state": np.full(3, state)}
    store_batch(connection, BatchKey(f"car-{car}", f"{car + 1:016x}", seq), times, columns, sent_at)


def found(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT vehicle_id FROM findings WHERE detector = 'contactor_welded' ORDER BY finding_id")
    return [vehicle_id for (vehicle_id,) in rows]


def test_killed_again_and_again_it_finds_everything_once(
    connection: Connection, database_url: str, open_state: Path
) -> None:
    open_clock("data", open_state).advance(START + timedelta(days=1))
    rng = np.random.default_rng(7)
    welded = 0
    for turn in range(3):
        with watching(database_url, open_state) as process:
            wait_until_logged(open_state / "watch.log", b'"watching"', turn + 1)
            for _ in range(CARS // 3):
                for car in range(CARS):
                    send(connection, car, 100 * turn + welded + 1, WELD if car <= welded else DRIVE)
                welded += 1
                time.sleep(float(rng.uniform(0, 0.15)))
            if turn == 2:
                wait_for(lambda: len(found(connection)) >= CARS, "not all is found")
                # Of what was found before it was killed, too.
                wait_for(lambda: len(tickets.list_tickets(connection)) >= CARS, "not every alert has a ticket")
                process.terminate()
                assert process.wait(10) == 0
    assert sorted(found(connection)) == sorted(f"car-{car}" for car in range(CARS))
    assert len(alerts.list_alerts(connection)) == CARS
    assert len(findings.of_vehicle(connection, "car-0")) == 1


def test_right_rules_are_taken_over_and_broken_ones_refused_while_it_runs(
    connection: Connection, database_url: str, open_state: Path
) -> None:
    open_clock("data", open_state).advance(START + timedelta(days=1))
    folder = open_state / "rules"
    shutil.copytree(CATALOGUE, folder)
    file = folder / "high_voltage.yaml"
    text = file.read_text(encoding="utf-8")
    line = text.partition("bms_state == Weld")[0].count("\n") + 1
    log = open_state / "watch.log"
    file.write_text(text.replace("bms_state == Weld", "bms_state == Fault"), encoding="utf-8")
    with watching(database_url, open_state, "--rules", str(folder)):
        wait_until_logged(log, b'"watching"')
        send(connection, 0, 1, WELD)
        file.write_text(text.replace("bms_state == Weld", "bms_state == Wled"), encoding="utf-8")
        wait_until_logged(log, b"rules_refused")
        assert f"high_voltage.yaml:{line}:".encode() in log.read_bytes()
        send(connection, 1, 1, WELD)
        file.write_text(text, encoding="utf-8")
        wait_until_logged(log, b"rules_taken_over")
        wait_for(lambda: len(found(connection)) == 2, "the new rule does not find")
