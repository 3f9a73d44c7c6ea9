import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from vsc.runtime.errors import AlreadyRunningError, ServerError
from vsc.runtime.locate import Binaries
from vsc.runtime.server import port_answers
from vsc.runtime.servers import LocalServers

pytestmark = pytest.mark.integration


def test_both_servers_answer(servers: LocalServers) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        licence = connection.execute("SHOW timescaledb.license").fetchone()
        telemetry = connection.execute("SHOW timescaledb.telemetry_level").fetchone()
    assert licence in {("apache",), ("timescale",)}
    assert telemetry == ("off",)
    assert port_answers(servers.mqtt_port)


def test_servers_run_as_an_ordinary_user_on_the_loopback_interface(servers: LocalServers) -> None:
    for server in (servers.database, servers.broker):
        assert server.pid is not None
        process = psutil.Process(server.pid)
        assert process.uids().effective != 0
        listening = [c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert listening == ["127.0.0.1"]


def test_database_wants_the_password(servers: LocalServers) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(servers.database_url, password="guess")  # noqa: S106 - a wrong one


def test_committed_rows_survive_kills(own_servers: LocalServers) -> None:
    with psycopg.connect(own_servers.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (round integer)")
        connection.execute("INSERT INTO kept VALUES (0)")
    for number in range(1, 4):
        own_servers.broker.kill()
        own_servers.database.kill()
        own_servers.database.start()
        own_servers.broker.start()
        with psycopg.connect(own_servers.database_url) as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
    with psycopg.connect(own_servers.database_url) as connection:
        assert connection.execute("SELECT round FROM kept ORDER BY 1").fetchall() == [(n,) for n in range(4)]


def test_data_and_addresses_stay_between_runs(open_state: Path, binaries: Binaries) -> None:
    with LocalServers(open_state, binaries=binaries) as first:
        with psycopg.connect(first.database_url) as connection:
            connection.execute("CREATE TABLE kept ()")
        addresses = (first.database_url, first.mqtt_port)
    with LocalServers(open_state, binaries=binaries) as second:
        assert (second.database_url, second.mqtt_port) == addresses
        with psycopg.connect(second.database_url) as connection:
            connection.execute("SELECT FROM kept")


def test_one_folder_serves_one_process(own_servers: LocalServers, open_state: Path, binaries: Binaries) -> None:
    with pytest.raises(AlreadyRunningError, match=str(open_state)), LocalServers(open_state, binaries=binaries):
        pass
    assert port_answers(own_servers.mqtt_port)


def test_lock_file_of_a_dead_server_does_not_stop_the_next(open_state: Path, binaries: Binaries) -> None:
    with LocalServers(open_state, binaries=binaries) as servers:
        servers.database.kill()
    lock = open_state / "postgres" / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    # Process numbers are used again: this one belongs to the test runner now.
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with LocalServers(open_state, binaries=binaries) as servers:
        assert servers.database.pid is not None


def test_interrupted_first_start_is_repaired(open_state: Path, binaries: Binaries) -> None:
    unfinished = open_state / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("17\n")
    with LocalServers(open_state, binaries=binaries) as servers:
        assert servers.database.pid is not None
    assert not unfinished.exists()


def test_damaged_data_is_one_clear_line(open_state: Path, binaries: Binaries) -> None:
    with LocalServers(open_state, binaries=binaries):
        pass
    (open_state / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")
    with (
        pytest.raises(ServerError, match=r"PostgreSQL ended with 1: .*incompatible with server") as failure,
        LocalServers(open_state, binaries=binaries),
    ):
        pass
    assert "\n" not in str(failure.value)


def test_servers_die_with_a_killed_owner(open_state: Path, binaries: Binaries) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(open_state), *map(str, (binaries.postgres_bin, binaries.mosquitto))],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    servers = [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()]
    assert len(servers) == 2
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    _, alive = psutil.wait_procs(servers, timeout=10)
    assert alive == []
    with LocalServers(open_state, binaries=binaries) as again:
        assert again.database.pid is not None


OWNER = """
import sys, time
from pathlib import Path
from vsc.runtime.locate import Binaries
from vsc.runtime.servers import LocalServers

state, postgres_bin, mosquitto = map(Path, sys.argv[1:])
with LocalServers(state, binaries=Binaries(postgres_bin, mosquitto, timescaledb=True, source="")) as servers:
    print(servers.database.pid, servers.broker.pid, flush=True)
    time.sleep(60)
"""
