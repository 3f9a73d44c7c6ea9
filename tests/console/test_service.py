import signal
import socket
import subprocess
import sys

import httpx
import pytest

from config.clock import WallClock
from config.settings import ConfigurationError
from console.service import run

NOWHERE = "postgresql://vsc@127.0.0.1:1/vsc"
PROGRAM = """
import sys
from config.clock import WallClock
from console.service import run
run("127.0.0.1", int(sys.argv[1]), sys.argv[2], WallClock())
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org"])  # noqa: S104 - what is refused
def test_other_machines_are_not_listened_to(host: str) -> None:
    with pytest.raises(ConfigurationError, match="no log-in yet"):
        run(host, 0, NOWHERE, WallClock())


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}: Address already in use"):
            run("127.0.0.1", port, NOWHERE, WallClock())


def test_a_process_serves_until_it_is_told_to_stop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", PROGRAM, str(port), NOWHERE]
    transport = httpx.HTTPTransport(retries=12)
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=20) as client,
    ):
        try:
            assert client.get("/static/console.css").status_code == 200
            assert client.get("/health").status_code == 503
            assert "server" not in client.get("/health").headers
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(15) in {0, -signal.SIGTERM}
