"""The stack's one clock: the machine's time, or the time of the data.

Ingest's time window, detectors, flows and the desk all read the same clock, so that a recording from 2019 replays as if
it were live. The data clock is a file in the state folder: ingest moves it forward with the senders' time, never back.
"""

import fcntl
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

DATA_CLOCK_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
"""What the data clock shows before any car has sent anything."""


class Clock(Protocol):
    """Tells the stack's present."""

    def now(self) -> datetime:
        """The present, as aware UTC datetime."""

    def advance(self, at: datetime) -> None:
        """Take note that a sender's clock shows `at`; a clock that runs by itself ignores it."""


class WallClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present, as aware UTC datetime."""
        return datetime.now(UTC)

    def advance(self, at: datetime) -> None:
        """Do nothing: the machine's time runs by itself."""


class DataClock:
    """The latest time any sender has shown, shared by the processes of one stack through a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """The latest sender's time, or `DATA_CLOCK_ZERO` before any."""
        try:
            return datetime.fromisoformat(self._path.read_text())
        except FileNotFoundError:
            return DATA_CLOCK_ZERO

    def advance(self, at: datetime) -> None:
        """Move to `at` if that is later; written whole or not at all, also with several writers."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if at <= self.now():
                return
            fresh = self._path.with_suffix(".new")
            fresh.write_text(at.astimezone(UTC).isoformat())
            fresh.replace(self._path)


def open_clock(kind: Literal["wall", "data"], state_dir: Path) -> Clock:
    """The clock of the stack whose data lies in `state_dir`."""
    return WallClock() if kind == "wall" else DataClock(state_dir / "clock")
