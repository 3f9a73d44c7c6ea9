"""The booking desk in a process of its own, as in the product; it can be killed and started again."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from config.clock import Clock, open_clock
from vsc.runtime.ports import Ports

PROGRAM = """
import sys
from pathlib import Path
from config.clock import open_clock
from desk.server import run
folder = Path(sys.argv[1])
run("127.0.0.1", int(sys.argv[2]), folder / "desk.sqlite3", open_clock("data", folder))
"""
STARTS_WITHIN_S = 20


class DeskProcess:
    """A desk over a folder: its data and the data clock that it reads stay when it is killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._port = Ports(folder / "ports.json").claim("desk")
        self.url = f"http://127.0.0.1:{self._port}"
        self.clock: Clock = open_clock("data", folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(self.folder), str(self._port)])
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                httpx.get(f"{self.url}/health", trust_env=False).raise_for_status()
            except httpx.TransportError:
                assert self._process.poll() is None, "the desk has ended"
                assert time.monotonic() < deadline, "the desk does not start"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def appointments(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/api/v1/appointments", trust_env=False).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["appointments"]
        return found


@contextmanager
def desk_process(folder: Path) -> Iterator[DeskProcess]:
    """A running desk; killed at the end."""
    desk = DeskProcess(folder)
    desk.start()
    try:
        yield desk
    finally:
        desk.kill()
