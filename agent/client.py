"""The car's side of the protocol: keep, publish, wait for the stored-ack, publish again.

One agent has one connection to the broker; a car's carries one vehicle, a gateway's or a simulator's many.

Errors:
    AgentError: the agent can do no more; what it kept stays in the outbox.
    agent.outbox.SequenceError: a batch leaves a gap in its boot's sequence.
    ValueError: a batch is larger than one message may be; the caller must cut it.
"""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import numpy as np

from agent.draft import Draft
from agent.introductions import Introductions
from agent.link import Link, LinkError, Will
from agent.outbox import Outbox
from agent.sender import AckMode, Sender
from agent.statistics import Statistics
from vehicle.batch import EventBatch, TelemetryBatch
from vehicle.codec import MAX_PAYLOAD_BYTES, MESSAGEPACK
from vehicle.topics import Channel, topic
from vehicle.wire import encode_events, encode_telemetry

SOFTWARE: Final = "vsc-agent/0.1"
RESEND_AFTER: Final = timedelta(seconds=60)


class AgentError(Exception):
    """The agent can do no more: the broker refuses it for good, or its link has ended."""


def _wall_time() -> datetime:
    return datetime.now(UTC)


class Agent:
    """Delivers batches to ingest, from `start` to `stop`, each until its stored-ack has come."""

    def __init__(
        self,
        outbox: Outbox,
        host: str,
        port: int,
        *,
        client_id: str,
        rng: np.random.Generator,
        resend_after: timedelta = RESEND_AFTER,
        in_flight: int = 20,
        window: int = 1000,
        software: str = SOFTWARE,
        presence_of: str | None = None,
        ack_mode: AckMode = AckMode.STORED,
        longest_delay: timedelta = timedelta(seconds=60),
        now: Callable[[], datetime] = _wall_time,
    ) -> None:
        """Make an agent; nothing happens before `start`.

        Args:
            outbox: What it delivers; stays the caller's to close.
            host: The broker's.
            port: The broker's.
            client_id: Of the connection; a car's is its vehicle id. No two agents of a broker may share it.
            rng: Spreads the attempts to connect.
            resend_after: A message without stored-ack is published again after this time.
            in_flight: Messages without PUBACK at most; the broker's Receive Maximum also counts.
            window: Messages published without stored-ack at most.
            software: What the hello says about the sender.
            presence_of: The vehicle whose `state` topic shows whether this agent is connected.
            ack_mode: What lets a message leave the outbox.
            longest_delay: Between two attempts to connect.
            now: The sender's clock, for the hello.
        """
        self._outbox = outbox
        self._condition = threading.Condition()
        self._sender = Sender(
            outbox,
            introductions=Introductions(outbox, software, now),
            resend_after_s=resend_after.total_seconds(),
            in_flight=in_flight,
            window=window,
            presence=presence_of,
            changed=self._tell,
            ack_mode=ack_mode,
        )
        will = Will(topic(presence_of, Channel.STATE), b"offline") if presence_of is not None else None
        self._link = Link(
            self._sender,
            host,
            port,
            client_id=client_id,
            rng=rng,
            longest_delay_s=longest_delay.total_seconds(),
            will=will,
        )

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Begin to connect and to publish what the outbox holds."""
        self._link.start()

    def stop(self) -> None:
        """Hang up; what has no stored-ack yet stays in the outbox."""
        self._link.stop()

    @property
    def statistics(self) -> Statistics:
        """What has been done so far."""
        return self._sender.statistics

    @property
    def pending(self) -> int:
        """How many messages wait for their stored-ack."""
        return len(self._outbox)

    def next_seq(self, vehicle_id: str, boot: str) -> int:
        """The seq that the boot's next batch must carry."""
        return self._outbox.next_seq(vehicle_id, boot)

    def submit(self, batches: Iterable[TelemetryBatch | EventBatch]) -> None:
        """Keep batches, all or none, on disk, and have them published in this order; returns before they are.

        Raises:
            AgentError: if the agent can do no more.
            SequenceError: if a batch leaves a gap in its boot's sequence.
            ValueError: if a batch is larger than one message may be.
        """
        self._check()
        evicted = self._outbox.append([_draft(batch) for batch in batches])
        self._sender.dropped(len(evicted))
        self._link.wake()

    def wait_for_room(self, pending: int, timeout: timedelta) -> bool:
        """Wait until at most `pending` messages wait for their stored-ack; whether that came about in time.

        Raises:
            AgentError: if the agent can do no more.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        with self._condition:
            while len(self._outbox) > pending:
                self._check()
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._condition.wait(min(left, 1.0))
        return True

    def drain(self, timeout: timedelta) -> bool:
        """Wait until every message has its stored-ack; whether that came about in time.

        Raises:
            AgentError: if the agent can do no more.
        """
        return self.wait_for_room(0, timeout)

    def _tell(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _check(self) -> None:
        if self._sender.refusal is not None:
            raise AgentError(self._sender.refusal)
        try:
            self._link.check()
        except LinkError as error:
            raise AgentError(str(error)) from error


def _draft(batch: TelemetryBatch | EventBatch) -> Draft:
    if isinstance(batch, TelemetryBatch):
        channel, samples, payload = Channel.TELEMETRY, len(batch.times), encode_telemetry(batch)
    else:
        channel, samples, payload = Channel.EVENT, 0, encode_events(batch)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a batch of {len(payload)} bytes is larger than a message's {MAX_PAYLOAD_BYTES}")
    return Draft(batch.vehicle_id, batch.boot, batch.seq, channel, MESSAGEPACK, samples, payload)
