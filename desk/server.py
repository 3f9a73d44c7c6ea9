"""The desk as a process of its own."""

from pathlib import Path

import uvicorn

from config.clock import Clock
from desk.app import create_app
from desk.store import Store

MOST_CONNECTIONS = 200
LAST_REQUESTS_S = 5
"""How long a stopping desk waits for requests under way."""


def run(host: str, port: int, database_path: Path, clock: Clock) -> None:
    """Serve the desk until a signal ends it; its appointments are in the file `database_path`."""
    uvicorn.run(
        create_app(Store(database_path), clock),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=LAST_REQUESTS_S,
    )
