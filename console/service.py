"""The console as a process of its own.

Nobody logs in yet, so it listens to this machine only.
"""

import ipaddress
import socket
from pathlib import Path
from typing import Final

import uvicorn

from config.clock import Clock
from config.settings import SHIPPED_RULES, ConfigurationError
from console.app import create_app

MOST_CONNECTIONS: Final = 100
LAST_REQUESTS_S: Final = 5
"""How long a stopping console waits for requests under way."""


def run(host: str, port: int, database_url: str, clock: Clock, rules: Path = SHIPPED_RULES) -> None:
    """Serve the console until a signal ends it.

    Raises:
        ConfigurationError: if `host` is not this machine's own, or the port is taken.
    """
    if not _is_loopback(host):
        raise ConfigurationError(f"the console has no log-in yet: it listens on 127.0.0.1 only, not on {host}")
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise ConfigurationError(f"the console cannot listen on {host} port {port}: {error.strerror}") from None
    config = uvicorn.Config(
        create_app(database_url, clock, rules),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=LAST_REQUESTS_S,
    )
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
