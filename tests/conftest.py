"""Fixtures that every test may use: a real database, a real broker, recorded drives."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from config.settings import load_settings
from vsc.runtime.locate import Binaries, locate
from vsc.runtime.place import state_dir
from vsc.runtime.progress import silent
from vsc.runtime.servers import LocalServers

hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("steady")

TEMPLATE = "template_migrated"


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a fifth of its time a worker waits for a server."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The servers' programs; fetched once per checkout."""
    return locate(state_dir(load_settings().state_dir), silent)


@pytest.fixture
def open_state() -> Iterator[Path]:
    """An empty state folder that the servers' account can enter, unlike `tmp_path` when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="vsc-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def servers(binaries: Binaries) -> Iterator[LocalServers]:
    """A database and a broker for the whole run: use `database_url` and `broker`, and never stop them."""
    with tempfile.TemporaryDirectory(prefix="vsc-test-") as folder:
        Path(folder).chmod(0o755)
        with LocalServers(Path(folder), binaries=binaries) as running:
            yield running


@pytest.fixture
def own_servers(binaries: Binaries, open_state: Path) -> Iterator[LocalServers]:
    """A database (empty, not migrated) and a broker of the test's own, to be killed and started again."""
    with LocalServers(open_state, binaries=binaries) as running:
        yield running


@pytest.fixture(scope="session")
def template_database(servers: LocalServers) -> str:
    """The name of a database with every migration applied and no rows."""
    from storage.migrate import migrate  # noqa: PLC0415 - a broken schema must not stop the tests that need none

    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    migrate(servers.url(TEMPLATE))
    # TimescaleDB's scheduler enters every database that lets it in, and a template is copied only when nobody is in it.
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(TEMPLATE)))
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [TEMPLATE]
        )
    return TEMPLATE


_numbers = itertools.count(1)


@pytest.fixture
def database_url(servers: LocalServers, template_database: str) -> Iterator[str]:
    """The address of a migrated, empty database of the test's own."""
    name = sql.Identifier(f"test_{next(_numbers)}")
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        template = sql.Identifier(template_database)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
        yield servers.url(name.as_string().strip('"'))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def broker(servers: LocalServers) -> tuple[str, int]:
    """Host and port of the shared broker: use topics and client ids of the test's own."""
    return servers.mqtt_host, servers.mqtt_port


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded drives."""
    folder = load_settings().recordings
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}: set VSC_RECORDINGS")
    return folder
