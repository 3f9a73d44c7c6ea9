"""Processes under measurement: ``vsc ingest`` and others, each of its own, watched from outside."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from config.settings import CHECKOUT
from vsc.runtime.place import as_child

_START_S: Final = 30.0
_SETTLE_S: Final = 0.3
"""After it has connected, so that nothing of its start is measured."""


class ProcessError(Exception):
    """A process under measurement has ended or does not begin; the message has the end of its log."""


class Measured:
    """One Python process that dies with us."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Start ``python -m ARGUMENTS``; `log` takes its output."""
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                as_child([sys.executable, "-m", *arguments], None, signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                cwd=CHECKOUT,
            )
        self._seen = psutil.Process(self._process.pid)

    def __enter__(self) -> Self:
        """Run it for as long as a ``with`` block lasts."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it in order."""
        self.stop()

    def wait_until_connected(self, port: int) -> None:
        """Return when it has opened a connection to `port` and has nothing more to do.

        Raises:
            ProcessError: if it does not.
        """
        deadline = time.monotonic() + _START_S
        while not any(each.raddr[1:] == (port,) for each in self._seen.net_connections("tcp")):
            if time.monotonic() > deadline:
                raise ProcessError(f"no connection to port {port} in {_START_S:.0f} s: {self._last_words()}")
            self.check()
            time.sleep(0.02)
        time.sleep(_SETTLE_S)

    def check(self) -> None:
        """Raise ProcessError if it has ended."""
        if self._process.poll() is not None:
            raise ProcessError(f"a process ended with {self._process.returncode}: {self._last_words()}")

    def cpu_s(self) -> float:
        """CPU that all its threads have used, user and system."""
        times = self._seen.cpu_times()
        return times.user + times.system

    def rss_mb(self) -> float:
        """Memory that it holds now."""
        return self._seen.memory_info().rss / 1e6

    def peak_rss_mb(self) -> float:
        """The most that it ever held."""
        return peak_rss_mb(self._process.pid)

    def handles(self) -> int:
        """Open file descriptors."""
        return self._seen.num_fds()

    def threads(self) -> int:
        """Running threads."""
        return self._seen.num_threads()

    def wait(self, timeout_s: float) -> None:
        """Wait until it ends by itself.

        Raises:
            ProcessError: if it does not, or fails.
        """
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"a process did not finish in {timeout_s:.0f} s: {self._last_words()}") from None
        if code != 0:
            raise ProcessError(f"a process ended with {code}: {self._last_words()}")

    def begin_profile(self) -> None:
        """Have `benchmarks.sampler` begin to look."""
        self._process.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        """End it in order; by force when that takes too long."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-5:]) or "it wrote nothing"


def peak_rss_mb(process: int) -> float:
    """The most memory that a process, by its id, ever held, as the kernel knows (VmHWM)."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmHWM"))


def start_ingest(database_url: str, broker: tuple[str, int], folder: Path, profile: Path | None = None) -> Measured:
    """Start the real ``vsc ingest``, with the settings of production.

    Args:
        database_url: Of a migrated database.
        broker: Host and port.
        folder: For its state and its log.
        profile: Where it leaves its profile when it ends; None: it runs undisturbed.
    """
    host, port = broker
    environment = {
        "VSC_DATABASE_URL": database_url,
        "VSC_MQTT_HOST": host,
        "VSC_MQTT_PORT": str(port),
        "VSC_CLOCK": "wall",
        "VSC_STATE_DIR": str(folder / "state"),
        "VSC_LOG_LEVEL": "warning",
    }
    (folder / "state").mkdir(exist_ok=True)
    arguments = ["vsc", "ingest"] if profile is None else ["benchmarks.sampler", str(profile)]
    return Measured(arguments, environment, folder / "ingest.log")
