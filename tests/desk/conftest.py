import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from desk.app import create_app
from desk.store import Store

MONDAY_8 = datetime(2026, 9, 7, 6, 0, tzinfo=UTC)
"""Eight o'clock in the morning where the places are, on a Monday."""


class SetClock:
    """A clock that shows what a test sets."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, at: datetime) -> None:
        self.at = max(self.at, at)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY_8)


@pytest.fixture
def desk_url(tmp_path: Path, clock: SetClock) -> Iterator[str]:
    with serving(tmp_path, clock) as url:
        yield url


@pytest.fixture
def http(desk_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=desk_url, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def refusing_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A desk shared by tests whose requests it refuses, so that they leave nothing behind."""
    with (
        serving(tmp_path_factory.mktemp("desk"), SetClock(MONDAY_8)) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=10) as client,
    ):
        yield client
        assert client.get("/api/v1/appointments").json()["appointments"] == []


@contextmanager
def serving(folder: Path, clock: SetClock) -> Iterator[str]:
    """A real desk in a thread; gives its address."""
    app = create_app(Store(folder / "desk.sqlite3"), clock)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def a_request() -> Callable[..., dict[str, Any]]:
    def make(**changes: Any) -> dict[str, Any]:
        return {
            "external_ref": "visit-1",
            "revision": 1,
            "vehicle_id": "v-0001",
            "channel": "mobile",
            "duration_min": 60,
            "due_at": "2026-09-14T00:00:00Z",
            "tickets": [a_ticket("t-1")],
        } | changes

    return make


def a_ticket(ticket_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": ticket_id,
        "title": "Tyre loses air: front left",
        "component": "tyre",
        "failure_mode": "tyre_slow_leak",
        "locations": ["fl"],
        "severity": "warning",
        "action": "Find the leak and repair or replace the tyre",
        "parts": [{"name": "tyre valve", "quantity": 1}],
        "evidence": "3.1 kPa a day lower than the other three",
        "link": "",
    } | changes
