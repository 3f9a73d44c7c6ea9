"""From the agent to the tables through a real broker and ingest as a process, whatever is killed on the way."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from agent.draft import Draft
from agent.outbox import Outbox
from config.clock import DataClock
from storage.migrate import migrate
from tests.support.fleet_run import (
    a_fleet,
    register_fleet,
    sending,
    sent_rows,
    stored_rows,
)
from tests.support.ingest_process import IngestProcess
from tests.support.mqtt import wait_for
from vehicle.batch import TelemetryBatch
from vehicle.topics import Channel
from vsc.runtime.errors import ServerError
from vsc.runtime.server import Server
from vsc.runtime.servers import LocalServers

pytestmark = pytest.mark.integration

LONG = timedelta(seconds=60)


@pytest.fixture
def ingest(database_url: str, quiet_broker: tuple[str, int], tmp_path: Path) -> Iterator[IngestProcess]:
    with IngestProcess(database_url, quiet_broker, tmp_path) as process:
        yield process


def test_every_value_is_stored_once_and_told(
    ingest: IngestProcess, database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=4, batches_each=50)
    register_fleet(database_url, batches)
    with sending(quiet_broker, tmp_path / "outbox.db") as agent:
        agent.submit(batches)
        assert agent.drain(LONG)
        assert agent.statistics.samples_acked == len(sent_rows(batches))
    assert stored_rows(database_url) == sent_rows(batches)
    assert ingest.stop() == 0
    assert '"samples": 1000' in ingest.log()
    assert DataClock(tmp_path / "clock").now() == max(batch.sent_at for batch in batches)


def test_a_second_replay_stores_nothing_new(
    ingest: IngestProcess, database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=2, batches_each=20)
    register_fleet(database_url, batches)
    for attempt in ("first", "second", "third"):
        with sending(quiet_broker, tmp_path / f"{attempt}.db", client_id=attempt) as agent:
            agent.submit(batches)
            assert agent.drain(LONG)
    assert stored_rows(database_url) == sent_rows(batches)
    assert ingest.stop() == 0
    assert '"quarantined": {}' in ingest.log()


def test_unreadable_payloads_are_quarantined_byte_for_byte_and_told(
    ingest: IngestProcess, database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=1, batches_each=1)
    register_fleet(database_url, batches)
    payloads = [bytes([0xC1]) + bytes(range(n)) for n in range(20)]
    outbox = Outbox(tmp_path / "bad.db")
    outbox.append(
        Draft("car-0", "00000000000000bb", seq, Channel.TELEMETRY, "application/msgpack", 0, payload)
        for seq, payload in enumerate(payloads, start=1)
    )
    outbox.close()
    with sending(quiet_broker, tmp_path / "bad.db") as agent:
        agent.submit(batches)
        assert agent.drain(LONG)
    with psycopg.connect(database_url) as connection:
        kept = connection.execute("SELECT payload FROM quarantine ORDER BY seq").fetchall()
    assert [payload for (payload,) in kept] == payloads
    assert stored_rows(database_url) == sent_rows(batches)
    assert ingest.exit_code is None


def test_a_second_process_is_refused_and_told_who_has_the_shard(
    ingest: IngestProcess, database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    second = IngestProcess(database_url, quiet_broker, tmp_path / "second")
    second.start()
    assert second.wait() != 0
    assert f"shard 0/1 is stored by another process: vsc ingest 0/1, process {ingest.pid} on" in second.log()


def run_with_restarts(
    process: IngestProcess,
    database_url: str,
    broker: tuple[str, int],
    outbox: Path,
    *,
    messages: int,
    restarts: int,
    kill: bool,
) -> list[TelemetryBatch]:
    """Send messages while ingest is ended, each time within moments of some being told stored."""
    rng = np.random.default_rng(11)
    batches = a_fleet(vehicles=10, batches_each=messages // 10)
    register_fleet(database_url, batches)
    # Only a killed ingest needs the agent's impatience.
    with sending(broker, outbox, resend_after=timedelta(seconds=1) if kill else LONG) as agent:
        agent.submit(batches)
        for number in range(1, restarts + 1):
            assert agent.wait_for_room(len(batches) * (restarts + 1 - number) // (restarts + 1), LONG)
            time.sleep(rng.choice([0, 0.01, 0.05]))
            if kill:
                process.kill()
            else:
                assert process.stop() == 0
            process.start()
        assert agent.drain(LONG)
        assert agent.statistics.acked == len(batches)
    return batches


def test_kill_9_of_ingest_loses_nothing_and_stores_nothing_twice(
    ingest: IngestProcess, database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = run_with_restarts(
        ingest, database_url, quiet_broker, tmp_path / "o.db", messages=3000, restarts=5, kill=True
    )
    assert stored_rows(database_url) == sent_rows(batches)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)


def test_restarts_in_order_lose_nothing_and_leave_nothing_half_done(
    ingest: IngestProcess, database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = run_with_restarts(
        ingest, database_url, quiet_broker, tmp_path / "o.db", messages=1500, restarts=2, kill=False
    )
    assert stored_rows(database_url) == sent_rows(batches)
    assert ingest.stop() == 0
    # What was committed was acknowledged, too, before each end: nothing has come a second time.
    assert ingest.log().count('"duplicates": 0') == ingest.log().count('"duplicates"') >= 3


def test_acking_before_the_commit_does_lose(database_url: str, quiet_broker: tuple[str, int], tmp_path: Path) -> None:
    with IngestProcess(database_url, quiet_broker, tmp_path, acks_before_commit=True) as broken:
        batches = run_with_restarts(
            broken, database_url, quiet_broker, tmp_path / "o.db", messages=1500, restarts=2, kill=True
        )
    assert len(stored_rows(database_url)) < len(sent_rows(batches))


def kill_and_start(server: Server) -> None:
    """Crash a server and bring it back, as soon as the children of the dead one let it."""
    server.kill()
    patience = time.monotonic() + 10
    while True:
        try:
            server.start()
        except ServerError:
            assert time.monotonic() < patience
            time.sleep(0.1)
        else:
            return


def test_killed_servers_lose_nothing(own_servers: LocalServers, tmp_path: Path) -> None:
    broker = own_servers.mqtt_host, own_servers.mqtt_port
    migrate(own_servers.database_url)
    batches = a_fleet(vehicles=10, batches_each=150)
    register_fleet(own_servers.database_url, batches)
    with (
        IngestProcess(own_servers.database_url, broker, tmp_path) as ingest,
        sending(broker, tmp_path / "outbox.db", window=100) as agent,
    ):
        agent.submit(batches)
        for part, server in enumerate(
            (own_servers.broker, own_servers.database, own_servers.broker, own_servers.database), start=1
        ):
            assert agent.wait_for_room(len(batches) * (5 - part) // 5, LONG)
            kill_and_start(server)
        assert agent.drain(LONG)
        assert stored_rows(own_servers.database_url) == sent_rows(batches)
        own_servers.database.kill()
        agent.submit(a_fleet(vehicles=1, batches_each=1, boot="00000000000000bb"))
        waits = ingest.log().count("database_away")
        wait_for(lambda: ingest.log().count("database_away") > waits, "ingest waits for the database")
        assert ingest.stop() == 0
        assert agent.pending == 1
