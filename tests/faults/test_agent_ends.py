"""Scenario 8: the vehicle's agent dies between a sample and its PUBACK, and wakes up as a new boot."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.support.faults.car_process import CarProcess
from tests.support.faults.fleet import acked_of
from tests.support.faults.form import Form
from tests.support.faults.load import Batch, a_message, boot_of
from tests.support.faults.scene import Scene
from tests.support.mqtt import wait_for
from vsc.runtime.servers import LocalServers

pytestmark = pytest.mark.integration

VEHICLES = 10


@pytest.fixture
def cars(fresh_servers: LocalServers, tmp_path: Path, seed: int, form: Form) -> Iterator[CarProcess]:
    broker = fresh_servers.mqtt_host, fresh_servers.mqtt_port
    process = CarProcess(broker, tmp_path, seed, vehicles=VEHICLES, messages=form.times(500, quick=200))
    yield process
    process.close()


@pytest.mark.scenario("8 kill -9 of the vehicle's agent", quick=1, full=3)
def test_agent_killed(scene: Callable[..., Scene], cars: CarProcess, form: Form) -> None:
    kills = form.times(10, quick=2)
    with scene(agents=0) as run:
        for _ in range(kills):
            drive_and_kill(cars, run)
        left = unstored(cars.outbox)
        cars.start()
        assert cars.finish() == 0
        run.sent.add(sampled(cars.outbox, run.seed))
        verdict = run.verdict(also_acked=acked_of(cars.outbox), note=f"{left} in the outbox at the last kill")
        boots = boots_and_holes(run.database_url)
    verdict.hold()
    # Everything that was ever put on disk is safe, and no boot has a hole.
    assert verdict.judgement.acked == verdict.judgement.published == verdict.judgement.stored
    assert boots == (kills + 1, 0)
    assert left > 0


def drive_and_kill(cars: CarProcess, run: Scene) -> None:
    """Power up, and end it with some samples of this boot on disk, the last of them not yet confirmed."""
    cars.start()
    enough = int(run.rng.integers(1, 150))
    boot = boot_of(run.seed, cars.power_up)
    wait_for(lambda: numbered(cars.outbox, boot) >= enough, "the cars drive")
    cars.kill()
    run.restarts += 1


def sampled(outbox: Path, seed: int) -> Iterator[Batch]:
    """Every message that was ever put on disk."""
    for car, boot, last in sequences(outbox):
        vehicle, power_up = int(car.removeprefix("car-")), int(boot[8:], 16)
        yield from (a_message(seed, vehicle, power_up, seq) for seq in range(1, last + 1))


def boots_and_holes(database_url: str) -> tuple[int, int] | None:
    """How many boots are stored, and how many of the cars' sequences have a gap."""
    query = """
        SELECT count(DISTINCT boot), count(*) FILTER (WHERE top <> entered)
        FROM (SELECT boot, max(seq) AS top, count(*) AS entered FROM batch_ledger GROUP BY vehicle_id, boot) AS each
    """
    with psycopg.connect(database_url) as connection:
        return connection.execute(query).fetchone()


def numbered(outbox: Path, boot: str) -> int:
    """How many messages of a boot have been put on disk."""
    if not outbox.exists():
        return 0
    return sum(last for _, of_boot, last in sequences(outbox) if of_boot == boot)


def sequences(outbox: Path) -> list[tuple[str, str, int]]:
    """Vehicle, boot and last seq of all that was ever put on disk."""
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as file:
        if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'sequence'").fetchone():
            return []
        return file.execute("SELECT vehicle_id, boot, last_seq FROM sequence").fetchall()


def unstored(outbox: Path) -> int:
    """How many messages are on disk."""
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as file:
        return int(file.execute("SELECT count(*) FROM message").fetchone()[0])
