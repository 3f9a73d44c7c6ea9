"""One migrated database for all tests of the tables; none of them leaves a row in it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from storage.connection import connect
from vsc.runtime.servers import LocalServers

SHARED = "storage_tables"


@pytest.fixture(scope="session")
def shared_url(servers: LocalServers, template_database: str) -> str:
    """The address of that database: not to be committed to."""
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        names = [sql.Identifier(name) for name in (SHARED, template_database)]
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    return servers.url(SHARED)


@pytest.fixture
def connection(shared_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction in that database that ends with the test."""
    with connect(shared_url) as opened:
        yield opened
        opened.rollback()
