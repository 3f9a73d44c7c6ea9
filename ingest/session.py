"""Ingest's MQTT session: the broker keeps for it what it has not acknowledged, for a week and across restarts.

Nothing is judged here. Messages are read, which never fails, wait in a bounded queue until the writer takes
them, and are acknowledged when the writer says that they are stored, only on the connection that delivered
them: the broker delivers again what a lost connection left open, and the ledger knows it.

The queue is bounded in number and bytes, and the network's thread never waits for the writer. Of messages that are
to be acknowledged, QoS 1, the broker delivers Receive Maximum before the first is: while the database is away it soon
delivers no more, keeps the rest, and the connection lives on, so there is no need to end it. A broker that delivers
more is hung up on. If payloads are so large that Receive Maximum of them are too much, nothing is read until half of
them are taken; if that takes a third of the keep-alive, the connection is ended before the broker does. Messages of
QoS 0, which nobody keeps, are dropped and counted when too many wait.

Errors: `BrokerTooOldError` for a Mosquitto that sends more than Receive Maximum allows; `SilentLinkError` and
`agent.link.LinkError` if the network thread does nothing any more.
"""

import queue
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np
import structlog

from agent.connection import Connection, Message
from agent.link import Link
from config.clock import WallClock
from ingest.condition import Condition
from ingest.inbox import Delivery, Inbox, Prepare, Taken
from ingest.incoming import Incoming, read
from ingest.subscriptions import Subscriptions
from vehicle.batch import StoredAck
from vehicle.codec import JSON
from vehicle.topics import UPWARD, Channel, subscription, topic
from vehicle.wire import encode_ack

RECEIVE_MAXIMUM: Final = 500
"""Messages that the broker may deliver before the first of them is acknowledged."""
_SESSION_EXPIRY_S: Final = 7 * 86_400
_KEEPALIVE_S: Final = 120
MOST_BYTES: Final = 64 * 1024 * 1024
"""Payloads that may wait; more than Receive Maximum times the largest packet of a broker set up as ours is."""
_SILENCE_S: Final = 60.0
_VERSION_TOPIC: Final = "$SYS/broker/version"
WHOLE_FLEET_TOPICS: Final = tuple((subscription(channel), 1) for channel in UPWARD)
"""What the native protocol publishes upward, of every vehicle."""
_OLDEST_MOSQUITTO: Final = (2, 0, 13)
"""Older ones exceed Receive Maximum (their change log, #2306)."""

log = structlog.get_logger()


class BrokerTooOldError(Exception):
    """The broker is known to deliver more than Receive Maximum allows."""


class SilentLinkError(Exception):
    """The network thread has done nothing for a minute."""


@dataclass(slots=True)
class SessionStatistics:
    """What has happened on the session since it was made; counted on the link's thread alone."""

    received: int = 0
    lost_sessions: int = 0
    """Connections at which the broker had no session of ours, the very first one included."""
    stale_acks: int = 0
    """Messages stored after their connection had ended; the broker delivers them again."""
    overflows: int = 0
    """Connections ended because the broker sent more than it may."""
    pauses: int = 0
    """How often reading ceased because too many bytes waited."""
    dropped: int = 0
    """Messages of QoS 0 that came while too many waited."""


class Backlog(NamedTuple):
    """What is on its way through ingest just now."""

    messages: int
    """Read, and not yet taken by the writer."""
    bytes: int
    """Of their payloads."""
    unacknowledged: int
    """Delivered on this connection, and not yet acknowledged to the broker."""


class _Settled(NamedTuple):
    deliveries: Sequence[Delivery]
    acks: Sequence[tuple[str, StoredAck]]


class _Told(NamedTuple):
    topic: str
    payload: bytes
    content_type: str


class Session:
    """The party of ingest's link."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str,
        rng: np.random.Generator,
        subscriptions: Sequence[tuple[str, int]] = WHOLE_FLEET_TOPICS,
        read: Callable[[Message], Incoming] = read,
        prepare: Prepare | None = None,
        receive_maximum: int = RECEIVE_MAXIMUM,
        longest_delay: timedelta = timedelta(seconds=60),
    ) -> None:
        """Make a session; nothing happens before `start`.

        Args:
            host: The broker's.
            port: The broker's.
            client_id: Under which the broker keeps the session.
            rng: Spreads the attempts to connect.
            subscriptions: Topic filters, each with its greatest QoS.
            read: What a message holds; runs on the link's thread and must not raise.
            prepare: Makes a full flush ready, on the link's thread too.
            receive_maximum: Messages that may be delivered before the first of them is acknowledged; half of them are
                a full flush, so that one half arrives while the other is stored.
            longest_delay: Between two attempts to connect.
        """
        self._subscriptions = Subscriptions(subscriptions)
        self._read = read
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
        self._ended: Connection | None = None
        """The connection that we have hung up on; some of its messages may still arrive."""
        self._inbox = Inbox(receive_maximum // 2, prepare)
        self._paused_at = 0.0
        self._openings: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._settled: queue.SimpleQueue[_Settled | _Told] = queue.SimpleQueue()
        self._last_turn = time.monotonic()
        self._unacknowledged = 0
        self._too_old: str | None = None
        self.statistics = SessionStatistics()
        self.reachable = Condition(WallClock(), works=False)

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

    def backlog(self) -> Backlog:
        """What is on its way; from any thread, and so only about right."""
        return Backlog(self._inbox.messages, self._inbox.bytes, self._unacknowledged)

    def openings(self) -> list[bool]:
        """Whether the broker had kept the session, for each connection made since this was last asked."""
        return [self._openings.get() for _ in range(self._openings.qsize())]

    def follow(self, subscriptions: Iterable[tuple[str, int]]) -> None:
        """From now on listen to these topics, and no more to others; from the writer's thread."""
        self._subscriptions.want(subscriptions)
        self._link.wake()

    def take(self, at_most: int, window: timedelta) -> Taken:
        """Wait up to `window` for messages, and return them sooner when there are enough or no more come."""
        return self._inbox.take(at_most, window)

    def settle(self, deliveries: Sequence[Delivery], acks: Sequence[tuple[str, StoredAck]]) -> None:
        """Acknowledge stored messages to the broker in this order, then tell the vehicles."""
        self._settled.put(_Settled(deliveries, acks))
        self._link.wake()

    def tell(self, topic: str, payload: bytes, content_type: str) -> None:
        """Send one message downward, QoS 0, in the order of `settle` and `tell`; none if there is no connection."""
        if self._current is not None:
            self._settled.put(_Told(topic, payload, content_type))
            self._link.wake()

    def connected(self, connection: Connection) -> None:
        """Subscribe, also to what the broker may know already; a session that it has not kept is counted."""
        self._last_turn = time.monotonic()
        self._current = connection
        self._unacknowledged = 0
        self.reachable.tell(works=True)
        if not connection.session_present:
            log.warning("no_session_at_broker", hint="what was not stored comes again from the vehicles")
            self.statistics.lost_sessions += 1
        self._openings.put(connection.session_present)
        connection.subscribe([(_VERSION_TOPIC, 0)])
        self._subscriptions.begin(connection)

    def disconnected(self) -> None:
        """Forget what waits: the broker delivers it again."""
        self._current = None
        self.reachable.tell(works=False)
        self._inbox.forget()

    def received(self, connection: Connection, message: Message) -> None:
        """Read the message, while the writer waits for the database, and let it wait for the writer."""
        if message.topic == _VERSION_TOPIC:
            self._judge_version(connection, message.payload.decode(errors="replace"))
            return
        self.statistics.received += 1
        if connection is self._ended or not self._has_room(connection, message):
            return
        self._unacknowledged += message.qos > 0
        self._inbox.put(Delivery(connection, self._read(message)))

    def settled(self, packet_id: int, *, reason: int) -> None:
        """Nothing: a stored-ack is sent once, and the next one makes up for it."""

    def turn(self, connection: Connection) -> float:
        """Send the acknowledgements that the writer has left."""
        self._last_turn = time.monotonic()
        if connection.paused:
            self._end_pause(connection)
        self._subscriptions.tell(connection)
        while not self._settled.empty():
            work = self._settled.get()
            if isinstance(work, _Told):
                connection.tell(*work)
                continue
            for delivery in work.deliveries:
                if delivery.connection is connection:
                    connection.acknowledge(delivery.message)
                    self._unacknowledged -= delivery.message.qos > 0
                else:
                    self.statistics.stale_acks += 1
            for vehicle_id, ack in work.acks:
                address = topic(vehicle_id, Channel.ACK)
                connection.tell(address, encode_ack(ack), JSON)
        return _SILENCE_S

    def _has_room(self, connection: Connection, message: Message) -> bool:
        """Whether the message may wait; if not, what is to be done about it is done."""
        seen = self.statistics
        if message.qos and self._unacknowledged >= self._most_messages:
            seen.overflows += 1
            log.error("broker_exceeds_receive_maximum", waiting=self._inbox.messages)
            self._hang_up(connection)
            return False
        full = self._inbox.bytes + len(message.payload) > MOST_BYTES
        if not message.qos and (full or self._inbox.messages >= self._most_messages):
            seen.dropped += 1
            return False
        if full and not connection.paused:
            seen.pauses += 1
            log.warning("reading_paused", messages=self._inbox.messages, bytes=self._inbox.bytes)
            connection.paused, self._paused_at = True, time.monotonic()
        return True

    def _end_pause(self, connection: Connection) -> None:
        if self._inbox.bytes <= MOST_BYTES // 2:
            connection.paused = False
        elif time.monotonic() - self._paused_at > _KEEPALIVE_S / 3:
            self._hang_up(connection)

    def _hang_up(self, connection: Connection) -> None:
        self._ended = connection
        connection.close()

    def _judge_version(self, connection: Connection, text: str) -> None:
        found = re.search(r"mosquitto version (\d+)\.(\d+)\.(\d+)", text)
        if found and tuple(int(part) for part in found.groups()) < _OLDEST_MOSQUITTO:
            self._too_old = text
            connection.close()
