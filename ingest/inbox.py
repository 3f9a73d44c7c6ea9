"""What has been received and waits for the writer: filled by the network's thread, emptied by the writer's.

As soon as there is enough for a full flush, the network's thread makes it ready: it has nothing else to do then, while
the writer waits for the database, because the broker delivers no more before something is acknowledged.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from agent.connection import Connection, Message
from ingest.incoming import Incoming
from ingest.preparation import Prepared

MOST_BYTES_READY: Final = 2 * 1024 * 1024
"""Payloads of a flush that is made ready, twice those of a usual one: laid out, they take several times as much."""

Prepare = Callable[[Sequence[Incoming]], Prepared | None]
"""Makes a full flush ready; must not raise."""


class Delivery(NamedTuple):
    """A message, read, and the connection on which alone it may be acknowledged."""

    connection: Connection
    incoming: Incoming

    @property
    def message(self) -> Message:
        """As it arrived."""
        return self.incoming.message


class Taken(NamedTuple):
    """What the writer has taken in one go."""

    deliveries: list[Delivery]
    prepared: Prepared | None = None
    """What has been done with them already."""

    @property
    def flush(self) -> list[Incoming]:
        """What has been delivered."""
        return [delivery.incoming for delivery in self.deliveries]


class Inbox:
    """Deliveries in the order of arrival; how many there may be is for the one who fills it to see to."""

    def __init__(self, full: int, prepare: Prepare | None = None) -> None:
        """Make one that is empty.

        Args:
            full: How many deliveries make a full flush.
            prepare: Is called with each full flush, on the network's thread; None: none is made ready.
        """
        self._full = full
        self._prepare = prepare
        self._waiting: deque[Delivery] = deque()
        self._ready: deque[Taken] = deque()
        # Whoever moves more than one delivery holds it, so that their order is kept.
        self._moving = threading.Lock()
        # Each of the two is written by one thread only; their difference is what waits.
        self._bytes_in = 0
        self._bytes_out = 0
        self._enough = 1
        self._bell = threading.Event()

    @property
    def messages(self) -> int:
        """How many wait; from another thread only about right, as is `bytes`."""
        return len(self._waiting) + sum(len(taken.deliveries) for taken in list(self._ready))

    @property
    def bytes(self) -> int:
        """Of their payloads."""
        return max(0, self._bytes_in - self._bytes_out)

    def put(self, delivery: Delivery) -> None:
        """Add one; on the network's thread."""
        self._bytes_in += len(delivery.message.payload)
        self._waiting.append(delivery)
        if self._prepare is not None and len(self._waiting) >= self._full:
            self._make_ready(self._prepare)
        if (self._ready or len(self._waiting) >= self._enough) and not self._bell.is_set():
            self._bell.set()

    def forget(self) -> None:
        """Throw away what waits; on the network's thread."""
        with self._moving:
            forgotten = [*(each for taken in self._ready for each in taken.deliveries), *self._waiting]
            self._ready.clear()
            self._waiting.clear()
        self._bytes_in -= _size(forgotten)

    def take(self, at_most: int, window: timedelta) -> Taken:
        """Wait up to `window` for deliveries, and return them sooner when there are enough or no more come."""
        self._wait_for_enough(at_most, window.total_seconds())
        with self._moving:
            if self._ready:
                taken = self._ready.popleft()
            else:
                taken = Taken([self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))])
        self._bytes_out += _size(taken.deliveries)
        return taken

    def _make_ready(self, prepare: Prepare) -> None:
        with self._moving:
            deliveries = [self._waiting.popleft() for _ in range(min(self._full, len(self._waiting)))]
        # What is being made ready is nowhere; nothing can come behind it meanwhile, because we are who receives it.
        full = Taken(deliveries)
        if _size(deliveries) <= MOST_BYTES_READY:
            full = full._replace(prepared=prepare(full.flush))
        self._ready.append(full)

    def _wait_for_enough(self, at_most: int, window_s: float) -> None:
        deadline = time.monotonic() + window_s
        self._wait_for(1, window_s)
        seen = 0
        # A pause of a tenth of the window ends a burst: waiting on would only delay its stored-ack.
        while not self._ready and seen < len(self._waiting) < at_most and time.monotonic() < deadline:
            seen = len(self._waiting)
            self._wait_for(at_most, window_s / 10)

    def _wait_for(self, count: int, timeout_s: float) -> None:
        """Sleep until so many wait: to be woken by each message would cost more than to read it."""
        self._enough = count
        self._bell.clear()
        if not self._ready and len(self._waiting) < count:
            self._bell.wait(timeout_s)


def _size(deliveries: Sequence[Delivery]) -> int:
    """Bytes of their payloads."""
    return sum(len(delivery.message.payload) for delivery in deliveries)
