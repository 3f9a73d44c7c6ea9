"""A supervisor of ingest: starts it again whenever it ends, and knows which ends were asked for."""

import threading
import time
from typing import Self

from tests.support.ingest_process import IngestProcess
from tests.support.mqtt import wait_for


class Supervisor:
    """Keeps one ingest process running, from `with` to its end."""

    def __init__(self, process: IngestProcess) -> None:
        self.process = process
        self.restarts = 0
        self.unasked: list[str] = []
        """How the processes ended that were not told to: exit code and the log's last line."""
        self.stop_seconds: list[float] = []
        """How long each took to end that was asked to by SIGTERM."""
        self._up = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        """Start it, and wait until it is connected."""
        with self._lock:
            self.process.start()
            self._up = True
        self._thread.start()
        self.process.wait_until_connected()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        self._done.set()
        self._thread.join()
        if self._up and self.process.exit_code is None:
            self.process.kill()

    def kill(self) -> None:
        """End it as a crash would; it is started again at once."""
        with self._lock:
            self.process.kill()
            self.process.start()
            self.restarts += 1

    def roll(self) -> int:
        """Ask it to end, start the next one, and return its exit code."""
        with self._lock:
            code = self._stop()
            self.process.start()
            self.restarts += 1
        return code

    def take_down(self, *, kill: bool = False) -> int:
        """End it, and leave it so until `bring_up`; its exit code."""
        with self._lock:
            self._up = False
            if not kill:
                return self._stop()
            self.process.kill()
            return -9

    def bring_up(self) -> None:
        """Start it again."""
        with self._lock:
            self.process.start()
            self._up = True
            self.restarts += 1

    def wait_until_started(self) -> None:
        """Return once the latest process is at work."""
        wait_for(lambda: self.process.has_started, "ingest starts")

    @property
    def pid(self) -> int | None:
        """Of the process, while it runs."""
        return self.process.pid if self._up else None

    def _stop(self) -> int:
        # Before it is at work, SIGTERM ends it as it ends any program.
        self.wait_until_started()
        began = time.monotonic()
        code = self.process.stop()
        self.stop_seconds.append(time.monotonic() - began)
        return code

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            with self._lock:
                if self._up and (code := self.process.exit_code) is not None:
                    self.unasked.append(f"{code}: {self.process.log().splitlines()[-1]}")
                    # As a supervisor does, lest a process that cannot start take the whole machine.
                    time.sleep(0.2)
                    self.process.start()
                    self.restarts += 1
