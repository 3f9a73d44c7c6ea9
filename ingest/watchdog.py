"""Ends the process when its work stands still: a supervisor's restart loses nothing, a standstill may last.

It also ends a process that has been told to stop and cannot, because a server does not answer: what is not
acknowledged comes again.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

GRACE: Final = timedelta(seconds=8)
"""A process that is told to stop has ended after so long, whatever it waits for; supervisors kill after 10 s."""
_GLANCE_S: Final = 0.5

log = structlog.get_logger()


class Watchdog:
    """A thread that ends the process at once: with exit code 1 if `beat` is not called for `patience`."""

    def __init__(
        self,
        patience: timedelta,
        stop: threading.Event,
        last_words: Callable[[], None] = lambda: None,
        grace: timedelta = GRACE,
    ) -> None:
        """Make one; it watches from `start`.

        Args:
            patience: Between two beats.
            stop: Told to stop, the process ends with exit code 0 within `grace`.
            last_words: Is called before an end by `stop`.
            grace: See `stop`.
        """
        self._patience_s = patience.total_seconds()
        self._grace_s = grace.total_seconds()
        self._stop = stop
        self._last_words = last_words
        self._beat_at = time.monotonic()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def beat(self) -> None:
        """Say that the work goes on."""
        self._beat_at = time.monotonic()

    def silent_for(self) -> timedelta:
        """How long ago the last beat was."""
        return timedelta(seconds=time.monotonic() - self._beat_at)

    def release(self) -> None:
        """Stop watching."""
        self._released.set()

    def _watch(self) -> None:
        told_at: float | None = None
        while not self._released.wait(min(_GLANCE_S, self._patience_s / 10, self._grace_s / 10)):
            if self._stop.is_set() and told_at is None:
                told_at = time.monotonic()
            if told_at is not None and time.monotonic() - told_at > self._grace_s:
                self._last_words()
                self._end(0, "stopped_without_waiting")
            if self.silent_for().total_seconds() > self._patience_s:
                self._end(1, "standstill")

    def _end(self, code: int, event: str) -> None:
        log.error(event, silent_s=round(self.silent_for().total_seconds()))
        sys.stderr.flush()
        # The thread that stands still cannot be made to raise; nothing that it holds needs saving.
        os._exit(code)
