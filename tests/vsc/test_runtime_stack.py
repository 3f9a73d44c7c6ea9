import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import psycopg
import pytest

from config.settings import Settings
from vsc.context import Context
from vsc.runtime import probes
from vsc.runtime.errors import AlreadyRunningError, NotRunningError, PortInUseError, ServerError
from vsc.runtime.leftovers import MARK
from vsc.runtime.locate import Binaries
from vsc.runtime.place import as_child
from vsc.runtime.ports import LOOPBACK
from vsc.runtime.programs import Addresses, Program, environment, services
from vsc.runtime.servers import LocalServers
from vsc.runtime.stack import Stack
from vsc.runtime.status import Part, status_table

pytestmark = pytest.mark.integration

SLEEP = "import time; time.sleep(600)"
SERVE = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, bind='127.0.0.1', port={port})"


def python(name: str, code: str, stage: int = 1, probe: str = "") -> Program:
    """A program of a few words."""
    return Program(name, as_child([sys.executable, "-c", code], None, signal.SIGTERM), stage, probe)


def small(addresses: Addresses, _settings: Settings) -> Sequence[Program]:
    """A web server and a sleeper in place of our services."""
    port = addresses.desk_url.rpartition(":")[2]
    return [python("desk", SERVE.format(port=port), probe=addresses.desk_url), python("ingest", SLEEP)]


def migrate(database_url: str) -> None:
    """The least that a schema can be."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """One state folder for all tests here: the next stack also starts from what the last one left."""
    with tempfile.TemporaryDirectory(prefix="vsc-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def settings(state: Path, binaries: Binaries, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of a stack which uses the programs that are there already."""
    monkeypatch.setattr("vsc.runtime.plan.locate", lambda _state, _report: binaries)
    return Settings(state_dir=state)


@pytest.fixture
def stack(settings: Settings) -> Iterator[Stack]:
    """A running stack."""
    stack = Stack(settings)
    stack.up(migrate, small, lasting=False)
    yield stack
    try:
        stack.down()
    except NotRunningError:
        return


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait 15 s at most."""
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def by_name(stack: Stack) -> dict[str, Part]:
    return {part.name: part for part in stack.status()}


def marked(state: Path) -> list[int]:
    """The processes of a stack."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(state):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_every_part_works(stack: Stack) -> None:
    parts = by_name(stack)
    assert set(parts) == {"postgres", "mosquitto", "desk", "ingest"}
    assert all(part.works for part in parts.values())
    assert "TimescaleDB 2." in parts["postgres"].detail
    assert status_table(list(parts.values())).row_count == 4
    addresses = stack.addresses()
    assert addresses is not None
    assert probes.ask(addresses.database_url).works
    assert (stack.state / "stack.json").stat().st_mode & 0o077 == 0


def test_second_up_says_that_one_is_running(stack: Stack, settings: Settings) -> None:
    with pytest.raises(AlreadyRunningError, match="running already"):
        Stack(settings).up(migrate, small)
    assert all(part.works for part in stack.status())


@pytest.mark.parametrize("name", ["ingest", "postgres", "mosquitto"])
def test_killed_part_is_started_again(stack: Stack, name: str) -> None:
    before = by_name(stack)[name].pid
    assert before > 0
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: by_name(stack)[name].pid not in {0, before} and by_name(stack)[name].works)


def test_part_that_hangs_does_not_count_as_working(stack: Stack) -> None:
    pid = by_name(stack)["mosquitto"].pid
    assert pid > 0
    os.kill(pid, signal.SIGSTOP)
    part = by_name(stack)["mosquitto"]
    os.kill(pid, signal.SIGCONT)
    assert (part.state, part.works) == ("RUNNING", False)


def test_down_leaves_nothing(stack: Stack) -> None:
    pids = [part.pid for part in stack.status()] + marked(stack.state)
    assert len(pids) >= 4
    stack.down()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert stack.addresses() is None
    with pytest.raises(NotRunningError):
        stack.down()
    with pytest.raises(NotRunningError, match="vsc up"):
        stack.status()


def test_killed_supervisor_takes_all_with_it_and_up_works_again(stack: Stack, settings: Settings) -> None:
    pids = [part.pid for part in stack.status()]
    supervisor = psutil.Process(pids[0]).parent()
    assert supervisor is not None
    supervisor.kill()
    fresh = Stack(settings)
    fresh.up(migrate, small, lasting=False)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert all(part.works for part in fresh.status())
    fresh.down()


def test_part_that_does_not_stay_up_is_named_and_nothing_is_left(settings: Settings) -> None:
    stack = Stack(settings)
    broken = python("ingest", "raise SystemExit('the rules are unreadable')")
    with pytest.raises(ServerError, match=r"ingest does not stay up: the rules are unreadable \(log: "):
        stack.up(migrate, lambda *_: [broken], lasting=False)
    assert marked(stack.state) == []


def test_failing_migration_leaves_nothing(settings: Settings) -> None:
    def fail(_url: str) -> None:
        raise ValueError("bad schema")

    stack = Stack(settings)
    with pytest.raises(ValueError, match="bad schema"), stack.running(fail, small):
        pass
    assert marked(stack.state) == []


def test_fixed_port_in_use_stops_the_start(settings: Settings) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        stack = Stack(settings.model_copy(update={"console_port": port}))
        with pytest.raises(PortInUseError, match=f"port {port} for console"):
            stack.up(migrate, small)


def test_servers_named_in_the_settings_are_used_and_watched(
    servers: LocalServers, settings: Settings, state: Path
) -> None:
    elsewhere = {
        "database_url": servers.database_url,
        "mqtt_host": servers.mqtt_host,
        "mqtt_port": servers.mqtt_port,
        "rules": Path("/srv/rules"),
    }
    with Stack(settings.model_copy(update=elsewhere)).running(migrate, small) as addresses:
        assert addresses.database_url == elsewhere["database_url"]
        parts = by_name(Stack(settings))
        # The rules as well, by commands that are not told others.
        assert Context(settings).rules == elsewhere["rules"]
        assert Context(settings.model_copy(update={"rules": state})).rules == state
    assert {parts[name].state for name in ("postgres", "mosquitto")} == {"ELSEWHERE"}
    assert parts["postgres"].works
    assert parts["mosquitto"].works


def test_services_are_told_where_everything_is(settings: Settings, state: Path) -> None:
    addresses = Addresses(
        database_url="postgresql://vsc:secret@127.0.0.1:1/vsc",
        mqtt_host="127.0.0.1",
        mqtt_port=2,
        desk_url="http://127.0.0.1:3",
        console_url="http://127.0.0.1:4",
        ingest_url="http://127.0.0.1:6",
        prefect_api_url="http://127.0.0.1:5/api",
        clock="data",
        rules="/srv/rules",
    )
    told = environment(addresses, state)
    assert told["VSC_RULES"] == "/srv/rules"
    assert (told["VSC_DESK_PORT"], told["VSC_INGEST_PORT"]) == ("3", "6")
    assert told["PREFECT_API_DATABASE_CONNECTION_URL"] == "postgresql+asyncpg://vsc:secret@127.0.0.1:1/prefect"
    assert (told["PREFECT_SERVER_ANALYTICS_ENABLED"], told["DO_NOT_TRACK"]) == ("false", "1")
    programs = services(addresses, settings)
    assert {program.name for program in programs} == {"ingest", "watch", "desk", "console", "prefect", "flows", "fleet"}
    assert not any("secret" in part for program in programs for part in program.command)
    elsewhere = settings.model_copy(update={"desk_url": "https://desk.invalid"})
    assert "desk" not in {program.name for program in services(addresses, elsewhere)}


def test_probe_of_a_port_that_speaks_another_language() -> None:
    assert not probes.ask("mqtt://127.0.0.1:9").works
    with socket.create_server((LOOPBACK, 0)) as other:
        other.settimeout(5)
        port = other.getsockname()[1]
        assert not probes.ask(f"mqtt://127.0.0.1:{port}").works
