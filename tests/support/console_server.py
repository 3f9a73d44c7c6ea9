"""A console that really listens, in a thread of the test's process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from console.app import create_app
from tests.support.fleet_database import StoppedClock

OURS = {"sec-fetch-site": "same-origin"}
"""What a browser says about a form of our own pages."""


@contextmanager
def console_server(database_url: str) -> Iterator[str]:
    """The address of a console on that database; it may be down."""
    app = create_app(database_url, StoppedClock())
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def console_client(database_url: str) -> Iterator[httpx.Client]:
    """A client of a console of its own."""
    with (
        console_server(database_url) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=20) as client,
    ):
        yield client
