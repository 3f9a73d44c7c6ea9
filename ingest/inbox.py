"""What has been received and waits for the writer: filled by the network's thread, emptied by the writer's."""

import threading
import time
from collections import deque
from datetime import timedelta
from typing import NamedTuple

from agent.connection import Connection, Message
from ingest.incoming import Incoming


class Delivery(NamedTuple):
    """A message, read, and the connection on which alone it may be acknowledged."""

    connection: Connection
    incoming: Incoming

    @property
    def message(self) -> Message:
        """As it arrived."""
        return self.incoming.message


class Inbox:
    """Deliveries in the order of arrival; how many there may be is for the one who fills it to see to."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery] = deque()
        # Each of the two is written by one thread only; their difference is what waits.
        self._bytes_in = 0
        self._bytes_out = 0
        self._enough = 1
        self._bell = threading.Event()

    @property
    def messages(self) -> int:
        """How many wait; from another thread only about right, as is `bytes`."""
        return len(self._waiting)

    @property
    def bytes(self) -> int:
        """Of their payloads."""
        return max(0, self._bytes_in - self._bytes_out)

    def put(self, delivery: Delivery) -> None:
        """Add one; on the network's thread."""
        self._bytes_in += len(delivery.message.payload)
        self._waiting.append(delivery)
        if len(self._waiting) >= self._enough and not self._bell.is_set():
            self._bell.set()

    def forget(self) -> None:
        """Throw away what waits; on the network's thread."""
        while self._waiting:
            try:
                self._bytes_in -= len(self._waiting.popleft().message.payload)
            except IndexError:
                return

    def take(self, at_most: int, window: timedelta) -> list[Delivery]:
        """Wait up to `window` for deliveries, and return them sooner when there are enough or no more come."""
        window_s = window.total_seconds()
        deadline = time.monotonic() + window_s
        self._wait_for(1, window_s)
        seen = 0
        # A pause of a tenth of the window ends a burst: waiting on would only delay its stored-ack.
        while seen < len(self._waiting) < at_most and time.monotonic() < deadline:
            seen = len(self._waiting)
            self._wait_for(at_most, window_s / 10)
        taken: list[Delivery] = []
        while self._waiting and len(taken) < at_most:
            try:
                taken.append(self._waiting.popleft())
            except IndexError:
                break
        self._bytes_out += sum(len(delivery.message.payload) for delivery in taken)
        return taken

    def _wait_for(self, count: int, timeout_s: float) -> None:
        """Sleep until so many wait: to be woken by each message would cost more than to read it."""
        self._enough = count
        self._bell.clear()
        if len(self._waiting) < count:
            self._bell.wait(timeout_s)
