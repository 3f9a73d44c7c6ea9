"""How long events wait in the outboxes for their stored-ack."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from vehicle.topics import Channel

_EVERY_S = 0.05


class Latencies:
    """Looks into outboxes again and again, from `with` to its end."""

    def __init__(self, outboxes: Sequence[Path]) -> None:
        self._outboxes = outboxes
        self._since: dict[tuple[Path, int], float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="latencies", daemon=True)
        self.seconds: list[float] = []
        """Of every event that was seen to wait, to a twentieth of a second, at most what it had waited at the end."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; what still waits has waited until now."""
        self._done.set()
        self._thread.join()
        self.seconds += [time.monotonic() - began for began in self._since.values()]

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_S):
            now = time.monotonic()
            waiting = {(file, position) for file in self._outboxes for position in _events_in(file)}
            self.seconds += [now - self._since.pop(gone) for gone in self._since.keys() - waiting]
            for each in waiting:
                self._since.setdefault(each, now - _EVERY_S)


def _events_in(outbox: Path) -> list[int]:
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as file:
        query = "SELECT position FROM message WHERE channel = ?"
        return [position for (position,) in file.execute(query, (Channel.EVENT,))]
