"""Collects the stored-acks of all cars, as their agents would."""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from benchmarks.light_client import LightClient
from vehicle.rejection import Rejection
from vehicle.topics import Channel, parse_topic, subscription
from vehicle.wire import decode_ack


class StoredAcks:
    """What ingest has said is safe since the ``with`` block began, and when it said the last of it."""

    def __init__(self, broker: tuple[str, int]) -> None:
        self._client = LightClient(broker, "bench-acks", self._hear)
        self._open = ExitStack()
        self._stored: dict[str, int] = {}
        self.stored = 0
        """Batches that are said to be safe."""
        self.last_at = time.monotonic()
        """When `stored` grew last."""

    def __enter__(self) -> Self:
        """Subscribe."""
        self._open.enter_context(self._client).subscribe(subscription(Channel.ACK))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._open.close()

    def _hear(self, topic: str, payload: bytes) -> None:
        heard_at = time.monotonic()
        address, ack = parse_topic(topic), decode_ack(payload)
        if isinstance(address, Rejection) or isinstance(ack, Rejection):
            return
        safe = ack.through - sum(last - first + 1 for first, last in ack.missing)
        before = self._stored.get(address[0], 0)
        if safe > before:
            self._stored[address[0]] = safe
            self.stored += safe - before
            self.last_at = heard_at
