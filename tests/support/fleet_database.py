"""Fixtures: a database that holds the small fleet and its problems; import them into a `conftest.py`."""

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.support.fleet_problems import store_problems
from tests.support.fleet_samples import NOW, store_samples
from vsc.runtime.servers import LocalServers


class StoppedClock:
    """Shows one time for ever."""

    def __init__(self, at: datetime = NOW) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, at: datetime) -> None:
        pass


@pytest.fixture(scope="session")
def fleet_url(servers: LocalServers, template_database: str) -> str:
    """The address of a database with the fleet in it, for tests that only read."""
    return _filled(servers, template_database)


@pytest.fixture
def own_fleet_url(servers: LocalServers, template_database: str) -> Iterator[str]:
    """The address of a database with the fleet in it, of the test's own."""
    url = _filled(servers, template_database)
    yield url
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        name = conninfo_to_dict(url)["dbname"]
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(name))))


def _filled(servers: LocalServers, template: str) -> str:
    name = f"fleet_{uuid4().hex}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(query.format(sql.Identifier(name), sql.Identifier(template)))
    with psycopg.connect(servers.url(name)) as connection:
        store_samples(connection)
        store_problems(connection)
    return servers.url(name)
