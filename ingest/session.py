"""Ingest's MQTT session: the broker keeps for it what it has not acknowledged, for a week and across restarts.

Nothing is judged here. Messages are read, which never fails, wait in a bounded queue until the writer takes
them, and are acknowledged when the writer says that they are stored, only on the connection that delivered
them: the broker delivers again what a lost connection left open, and the ledger knows it.

Errors: `BrokerTooOldError` for a Mosquitto that sends more than Receive Maximum allows; `SilentLinkError` and
`agent.link.LinkError` if the network thread does nothing any more.
"""

import queue
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
import structlog

from agent.connection import Connection, Message
from agent.link import Link
from ingest.incoming import Incoming, read
from vehicle.batch import StoredAck
from vehicle.topics import UPWARD, Channel, subscription, topic
from vehicle.wire import JSON, encode_ack

RECEIVE_MAXIMUM: Final = 500
"""Messages that the broker may deliver before the first of them is acknowledged."""
_SESSION_EXPIRY_S: Final = 7 * 86_400
_KEEPALIVE_S: Final = 120
_MOST_BYTES: Final = 64 * 1024 * 1024
"""Payloads that may wait; more than Receive Maximum times the largest packet of a broker set up as ours is."""
_SILENCE_S: Final = 60.0
_VERSION_TOPIC: Final = "$SYS/broker/version"
_OLDEST_MOSQUITTO: Final = (2, 0, 13)
"""Older ones exceed Receive Maximum (their change log, #2306)."""

log = structlog.get_logger()


class BrokerTooOldError(Exception):
    """The broker is known to deliver more than Receive Maximum allows."""


class SilentLinkError(Exception):
    """The network thread has done nothing for a minute."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message, read, and the connection on which alone it may be acknowledged."""

    connection: Connection
    incoming: Incoming

    @property
    def message(self) -> Message:
        """As it arrived."""
        return self.incoming.message


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """What has happened on the session since it was made."""

    received: int = 0
    lost_sessions: int = 0
    """Connections at which the broker had no session of ours, the very first one included."""
    stale_acks: int = 0
    """Messages stored after their connection had ended; the broker delivers them again."""
    overflows: int = 0
    """Connections ended because the broker sent more than it may."""


class Session:
    """The party of ingest's link."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str,
        rng: np.random.Generator,
        receive_maximum: int = RECEIVE_MAXIMUM,
        longest_delay: timedelta = timedelta(seconds=60),
    ) -> None:
        self._most_messages = receive_maximum
        self._link = Link(
            self,
            host,
            port,
            client_id=client_id,
            rng=rng,
            keepalive_s=_KEEPALIVE_S,
            session_expiry_s=_SESSION_EXPIRY_S,
            receive_maximum=receive_maximum,
            longest_delay_s=longest_delay.total_seconds(),
        )
        self._current: Connection | None = None
        self._waiting: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._settled: queue.SimpleQueue[tuple[Sequence[Delivery], Sequence[tuple[str, StoredAck]]]] = (
            queue.SimpleQueue()
        )
        # Each of the two is written by one thread only; their difference is what waits.
        self._bytes_in = 0
        self._bytes_out = 0
        self._last_turn = time.monotonic()
        self._too_old: str | None = None
        self.statistics = SessionStatistics()

    def start(self) -> None:
        """Begin to connect and to receive."""
        self._link.start()

    def stop(self) -> None:
        """Send the acknowledgements that are left and hang up; the broker keeps the session."""
        self._link.stop()

    def check(self) -> None:
        """Raise if the session cannot go on; the module's docstring says how."""
        self._link.check()
        if self._too_old is not None:
            oldest = ".".join(map(str, _OLDEST_MOSQUITTO))
            raise BrokerTooOldError(f"the broker is {self._too_old}; ingest needs Mosquitto {oldest} or later")
        if time.monotonic() - self._last_turn > _SILENCE_S and self._current is not None:
            raise SilentLinkError(f"the network thread has done nothing for {_SILENCE_S:.0f} s")

    def take(self, at_most: int, window: timedelta) -> list[Delivery]:
        """Wait up to `window` for messages, and return them sooner when there are enough or no more come."""
        taken: list[Delivery] = []
        patience = window.total_seconds()
        deadline = time.monotonic() + patience
        while len(taken) < at_most:
            try:
                delivery = self._waiting.get(timeout=max(0.0, patience))
            except queue.Empty:
                break
            self._bytes_out += len(delivery.message.payload)
            taken.append(delivery)
            # A pause of a tenth of the window ends a burst: waiting on would only delay its stored-ack.
            patience = min(window.total_seconds() / 10, deadline - time.monotonic())
        return taken

    def settle(self, deliveries: Sequence[Delivery], acks: Sequence[tuple[str, StoredAck]]) -> None:
        """Acknowledge stored messages to the broker in this order, then tell the vehicles."""
        self._settled.put((deliveries, acks))
        self._link.wake()

    def connected(self, connection: Connection) -> None:
        """Subscribe; a session that the broker has not kept is counted."""
        self._last_turn = time.monotonic()
        self._current = connection
        if not connection.session_present:
            log.warning("no_session_at_broker", hint="what was not stored comes again from the vehicles")
            self.statistics = replace(self.statistics, lost_sessions=self.statistics.lost_sessions + 1)
        connection.subscribe([(_VERSION_TOPIC, 0), *((subscription(channel), 1) for channel in UPWARD)])

    def disconnected(self) -> None:
        """Forget what waits: the broker delivers it again."""
        self._current = None
        while not self._waiting.empty():
            try:
                self._bytes_in -= len(self._waiting.get_nowait().message.payload)
            except queue.Empty:
                return

    def received(self, connection: Connection, message: Message) -> None:
        """Read the message, while the writer waits for the database, and let it wait for the writer."""
        if message.topic == _VERSION_TOPIC:
            self._judge_version(connection, message.payload.decode(errors="replace"))
            return
        self.statistics = replace(self.statistics, received=self.statistics.received + 1)
        too_many = self._waiting.qsize() >= self._most_messages
        if too_many or self._bytes_in - self._bytes_out + len(message.payload) > _MOST_BYTES:
            self.statistics = replace(self.statistics, overflows=self.statistics.overflows + 1)
            log.error("broker_exceeds_receive_maximum", waiting=self._waiting.qsize())
            connection.close()
            return
        self._bytes_in += len(message.payload)
        self._waiting.put(Delivery(connection, read(message)))

    def settled(self, packet_id: int, *, reason: int) -> None:
        """Nothing: a stored-ack is sent once, and the next one makes up for it."""

    def turn(self, connection: Connection) -> float:
        """Send the acknowledgements that the writer has left."""
        self._last_turn = time.monotonic()
        while not self._settled.empty():
            deliveries, acks = self._settled.get()
            stale = 0
            for delivery in deliveries:
                if delivery.connection is connection:
                    connection.acknowledge(delivery.message)
                else:
                    stale += 1
            if stale:
                self.statistics = replace(self.statistics, stale_acks=self.statistics.stale_acks + stale)
            for vehicle_id, ack in acks:
                address = topic(vehicle_id, Channel.ACK)
                connection.publish(address, encode_ack(ack), qos=0, content_type=JSON)
        return _SILENCE_S

    def _judge_version(self, connection: Connection, text: str) -> None:
        found = re.search(r"mosquitto version (\d+)\.(\d+)\.(\d+)", text)
        if found and tuple(int(part) for part in found.groups()) < _OLDEST_MOSQUITTO:
            self._too_old = text
            connection.close()
