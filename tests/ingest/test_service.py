"""From the agent to the tables through a real broker and ingest as a process; tests/faults kills it."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from agent.draft import Draft
from agent.outbox import Outbox
from config.clock import DataClock
from ingest.poison import SUSPECT_AFTER
from storage.incidents import IncidentKind, list_incidents
from storage.migrate import migrate
from tests.support.fleet_run import (
    a_fleet,
    register_fleet,
    sending,
    sent_rows,
    stored_rows,
)
from tests.support.ingest_process import DEADLY_TO_READ, DEADLY_TO_STORE, IngestProcess
from vehicle.topics import Channel
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


def test_messages_at_which_the_process_ends_go_to_quarantine_and_the_others_are_stored(
    database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=2, batches_each=20)
    register_fleet(database_url, batches)
    outbox = Outbox(tmp_path / "bad.db")
    outbox.append([Draft("car-1", "00000000000000bb", 1, Channel.EVENT, "text/plain", 0, DEADLY_TO_READ)])
    outbox.close()
    process = IngestProcess(database_url, quiet_broker, tmp_path, variant="dies")
    process.start()
    process.wait_until_connected()
    ends = 0
    with sending(quiet_broker, tmp_path / "bad.db") as agent:
        agent.submit([*batches[:10], *a_fleet(vehicles=1, batches_each=1, boot=DEADLY_TO_STORE), *batches[10:]])
        while not agent.drain(timedelta(seconds=0.2)):
            if process.exit_code is not None:
                assert process.exit_code == 9
                ends += 1
                assert ends < 20
                process.start()
    assert ends >= SUSPECT_AFTER
    assert process.stop() == 0
    assert stored_rows(database_url) == sent_rows(batches)
    with psycopg.connect(database_url) as connection:
        kept = connection.execute("SELECT reason, boot, seq, payload FROM quarantine ORDER BY boot").fetchall()
        found = list_incidents(connection)
    assert [row[:3] for row in kept] == [("poison", "00000000000000bb", 1), ("poison", DEADLY_TO_STORE, 1)]
    assert kept[0][3] == DEADLY_TO_READ
    assert [incident.kind for incident in found] == [IncidentKind.POISON] * 2


def test_a_process_that_still_waits_for_the_database_stops_in_order(broker: tuple[str, int], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = IngestProcess(f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none", broker, tmp_path)
        process.start()
        accepted, _ = silent.accept()
        with accepted:
            assert process.terminate() == 0


def test_a_process_that_cannot_reach_the_broker_stops_in_order(database_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = IngestProcess(database_url, ("127.0.0.1", silent.getsockname()[1]), tmp_path)
        process.start()
        accepted, _ = silent.accept()
        with accepted:
            assert process.terminate() == 0


def test_a_process_whose_database_falls_silent_stops_without_it_and_loses_nothing(
    own_servers: LocalServers, tmp_path: Path
) -> None:
    url, broker = own_servers.database_url, (own_servers.mqtt_host, own_servers.mqtt_port)
    migrate(url)
    batches = a_fleet(vehicles=2, batches_each=10)
    register_fleet(url, batches)
    with IngestProcess(url, broker, tmp_path) as ingest, sending(broker, tmp_path / "outbox.db") as agent:
        agent.submit(batches[:2])
        assert agent.drain(LONG)
        backend = backend_of_ingest(url)
        os.kill(backend, signal.SIGSTOP)
        try:
            agent.submit(batches[2:])
            time.sleep(1)
            assert ingest.terminate() == 0
        finally:
            os.kill(backend, signal.SIGCONT)
        assert "stopped_without_waiting" in ingest.log()
        ingest.start()
        assert agent.drain(LONG)
        assert stored_rows(url) == sent_rows(batches)
        assert ingest.stop() == 0


def backend_of_ingest(url: str) -> int:
    """The process of our own database server that serves ingest."""
    with psycopg.connect(url) as connection:
        ((pid,),) = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'vsc ingest%'"
        ).fetchall()
    assert pid > 1
    return int(pid)
