"""The fleet's database, and consoles on it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.console_server import console_client, console_server
from tests.support.fleet_database import fleet_url, own_fleet_url

__all__ = ["fleet_url", "own_fleet_url"]


@pytest.fixture(scope="session")
def console_address(fleet_url: str) -> Iterator[str]:
    with console_server(fleet_url) as address:
        yield address


@pytest.fixture
def console(console_address: str) -> Iterator[httpx.Client]:
    """On a database that must not be changed."""
    with httpx.Client(base_url=console_address, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def own_console(own_fleet_url: str) -> Iterator[httpx.Client]:
    """On a database of the test's own."""
    with console_client(own_fleet_url) as client:
        yield client


@pytest.fixture(scope="session")
def silent_console() -> Iterator[httpx.Client]:
    """On a database that is down."""
    with console_client("postgresql://vsc:secret@127.0.0.1:1/vsc") as client:
        yield client
