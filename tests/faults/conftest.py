"""What the fault suite adds to pytest: seeds, servers that may be killed, and the table at the end.

`pytest tests/faults` runs each scenario's quick seeds with short loads; `--all-faults` runs all of them.
"""

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from ingest.shard import WHOLE_FLEET
from storage.connection import connect
from storage.migrate import migrate
from tests.support.a_visit import NOW
from tests.support.desk_process import DeskProcess, desk_process
from tests.support.faults.books import Books
from tests.support.faults.contents import Contents, run_of_contents
from tests.support.faults.form import QUICK_MESSAGES, Form
from tests.support.faults.outages import forget_sessions
from tests.support.faults.report import ReportLine, table
from tests.support.faults.scene import Scene
from tests.support.mqtt import end_session
from vsc.runtime.locate import Binaries
from vsc.runtime.servers import LocalServers

_LINE: Final = "fault_line"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults", "the fault suite")
    group.addoption("--all-faults", action="store_true", help="all seeds, not only the quick ones")
    group.addoption("--fault-seeds", type=int, metavar="N", help="at most so many seeds for each scenario")
    group.addoption("--fault-messages", type=int, metavar="N", default=5000, help="messages in each full run")
    group.addoption("--fault-report", type=Path, metavar="FILE", help="write every run's figures there, as JSON")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("scenario")
    if marker is None or "seed" not in metafunc.fixturenames:
        return
    count = marker.kwargs["full" if _full(metafunc.config) else "quick"]
    most = metafunc.config.getoption("--fault-seeds", default=None)
    metafunc.parametrize("seed", range(1, 1 + (count if most is None else min(count, most))))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has no seed in this form, rather than show it as skipped."""
    empty = [item for item in items if item.get_closest_marker("scenario") and "NOTSET" in item.name]
    if empty:
        config.hook.pytest_deselected(items=empty)
        items[:] = [item for item in items if item not in empty]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [report for those in terminalreporter.stats.values() for report in those]
    lines = [
        ReportLine(**value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _LINE and report.when == "call"
    ]
    if not lines:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(table(lines))
    file = config.getoption("--fault-report", default=None)
    if file is not None:
        file.write_text(json.dumps([asdict(line) for line in lines], indent=2) + "\n")


@pytest.fixture
def quiet_broker(broker: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """The shared broker, which keeps nothing for ingest before or after the test."""
    end_session(broker, WHOLE_FLEET.client_id)
    yield broker
    end_session(broker, WHOLE_FLEET.client_id)


@pytest.fixture(scope="session")
def doomed_servers(binaries: Binaries) -> Iterator[LocalServers]:
    """A database and a broker that every scenario may kill, and leaves running."""
    with tempfile.TemporaryDirectory(prefix="vsc-fault-") as folder:
        Path(folder).chmod(0o755)
        with LocalServers(Path(folder), binaries=binaries) as running:
            yield running


_numbers = itertools.count(1)


@pytest.fixture
def doomed_database_url(doomed_servers: LocalServers) -> Iterator[str]:
    """A migrated, empty database on these servers."""
    name = sql.Identifier(f"fault_{next(_numbers)}")
    with psycopg.connect(doomed_servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    url = doomed_servers.url(name.as_string().strip('"'))
    migrate(url)
    yield url
    with psycopg.connect(doomed_servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def fresh_servers(doomed_servers: LocalServers) -> LocalServers:
    """These servers, their broker without anything kept."""
    doomed_servers.broker.stop()
    forget_sessions(doomed_servers)
    doomed_servers.broker.start()
    return doomed_servers


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[ReportLine], None]:
    """Takes a line of the report."""

    def take(line: ReportLine) -> None:
        request.node.user_properties.append((_LINE, asdict(line)))

    return take


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> str:
    """Number and name of the scenario, for the report."""
    return str(request.node.get_closest_marker("scenario").args[0])


@pytest.fixture
def form(request: pytest.FixtureRequest) -> Form:
    """How much is run."""
    messages = int(request.config.getoption("--fault-messages", default=5000))
    return Form(full=True, messages=messages) if _full(request.config) else Form(full=False, messages=QUICK_MESSAGES)


@pytest.fixture
def scene(
    fresh_servers: LocalServers, doomed_database_url: str, tmp_path: Path, request: pytest.FixtureRequest, seed: int
) -> Callable[..., Scene]:
    """Makes the run: `with scene() as run: ...; run.verdict().hold()`; arguments as `Scene` has them."""
    given = {name: request.getfixturevalue(name) for name in ("scenario", "record")} | {"seed": seed}

    def make(**changes: Any) -> Scene:
        return Scene(fresh_servers, doomed_database_url, tmp_path, **given | changes)

    return make


@pytest.fixture
def contents(
    database_url: str, quiet_broker: tuple[str, int], tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., AbstractContextManager[Contents]]:
    """Makes a run of messages of any content: `with contents(*vehicle_ids) as run: ...; run.account()`."""
    given = {name: request.getfixturevalue(name) for name in ("scenario", "seed", "record")}

    def make(*vehicle_ids: str, **changes: Any) -> AbstractContextManager[Contents]:
        return run_of_contents(database_url, quiet_broker, tmp_path, *vehicle_ids, **given | changes)

    return make


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    """One booking desk for all scenarios, which they leave running: visits have ids of their own."""
    with desk_process(tmp_path_factory.mktemp("desk")) as desk:
        desk.clock.advance(NOW)
        yield desk


@pytest.fixture
def books(database_url: str, desk: DeskProcess, request: pytest.FixtureRequest, seed: int) -> Iterator[Books]:
    """The account of what is booked in a run."""
    given = {name: request.getfixturevalue(name) for name in ("record", "scenario")} | {"seed": seed}
    with connect(database_url, autocommit=True) as connection:
        yield Books(connection, desk, **given)


def _full(config: pytest.Config) -> bool:
    return bool(config.getoption("--all-faults", default=False))
