"""One server as a direct child process, and how to tell whether it answers."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from vsc.runtime.errors import ServerError
from vsc.runtime.ports import LOOPBACK

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0

RECENT_LINES = 20
"""How much of a log belongs to the failed start."""


class Server:
    """One server as a direct child that dies with the thread that started it."""

    def __init__(
        self, name: str, command: list[str], answers: Callable[[], bool], log: Path, stop: signal.Signals
    ) -> None:
        self._name = name
        self._command = command
        self._answers = answers
        self._log = log
        self._stop_signal = stop
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process number while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ServerError: if it ends or stays silent, with the last line of its log.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                self.kill()
                what = f"ended with {ended}" if ended is not None else f"did not answer in {START_TIMEOUT_S:.0f} s"
                raise ServerError(f"{self._name} {what}: {last_line(self._log)} (log: {self._log})")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in its own orderly way; by force when that takes too long."""
        self._end(self._stop_signal)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def database_answers(url: str) -> bool:
    """Whether the server takes a connection and answers a query."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def port_answers(port: int) -> bool:
    """Whether something takes connections on a loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=2).close()
    except OSError:
        return False
    return True


def last_line(log: Path) -> str:
    """What a server complained of last, else the last line that it wrote."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    complaints = [line for line in lines[-RECENT_LINES:] if re.search(r"\b(FATAL|PANIC|Error):", line)]
    return (complaints or lines or ["it wrote nothing"])[-1]
