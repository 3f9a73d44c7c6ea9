"""Ends the process when its work stands still: a supervisor's restart loses nothing, a standstill may last."""

import os
import sys
import threading
import time
from datetime import timedelta

import structlog

log = structlog.get_logger()


class Watchdog:
    """A thread that ends the process at once with exit code 1 if `beat` is not called for `patience`."""

    def __init__(self, patience: timedelta) -> None:
        self._patience_s = patience.total_seconds()
        self._beat_at = time.monotonic()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def beat(self) -> None:
        """Say that the work goes on."""
        self._beat_at = time.monotonic()

    def release(self) -> None:
        """Stop watching."""
        self._released.set()

    def _watch(self) -> None:
        while not self._released.wait(self._patience_s / 10):
            silent_s = time.monotonic() - self._beat_at
            if silent_s > self._patience_s:
                log.error("standstill", silent_s=round(silent_s))
                sys.stderr.flush()
                # The thread that stands still cannot be made to raise; nothing that it holds needs saving.
                os._exit(1)
