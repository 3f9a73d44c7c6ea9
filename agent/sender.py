"""What to publish when: the party of an agent's link, and the owner of what is under way."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from agent.connection import Connection, Message
from agent.draft import Kept
from agent.introductions import Introductions
from agent.outbox import Outbox
from agent.schedule import Schedule
from agent.statistics import Statistics
from vehicle.batch import StoredAck
from vehicle.rejection import Rejection
from vehicle.topics import Channel, parse_topic, topic
from vehicle.wire import MESSAGEPACK, decode_ack, encode_hello

_ACCEPTED: Final = 0x00
_NOT_AUTHORISED: Final = 0x87
_FIRST_PAUSE_S: Final = 0.25
"""After a PUBACK that is not 0x00, e.g. 0x10 (nobody listens) or 0x97 (quota); doubled each time in a row."""
_PACKET_OVERHEAD_BYTES: Final = 128
"""MQTT 5 header, content type and the user properties boot and seq, rounded up."""
_READ_AHEAD: Final = 50

log = structlog.get_logger()


class Sender:
    """Publishes an outbox, events first, and empties it by stored-acks; lives on the link's thread."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        introductions: Introductions,
        resend_after_s: float,
        in_flight: int,
        window: int,
        presence: str | None,
        changed: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._introductions = introductions
        self._resend_after_s = resend_after_s
        self._most_in_flight = in_flight
        self._window = window
        self._presence = presence
        self._changed = changed
        self._read_to = {Channel.EVENT: 0, Channel.TELEMETRY: 0}
        self._ahead: dict[Channel, deque[Kept]] = {channel: deque() for channel in self._read_to}
        self._nothing_since = dict.fromkeys(self._read_to, -1)
        self._unstored = Schedule(resend_after_s)
        self._under_way: dict[int, int | tuple[str, str]] = {}
        self._acks: list[tuple[str, StoredAck]] = []
        self._dropped_more = threading.Event()
        self._pause_until = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self.refusal: str | None = None
        """Why the broker will never take this agent's messages."""
        # Held while messages leave the outbox, so that nobody sees them gone and not yet counted.
        self._counting = threading.RLock()
        self._statistics = Statistics()

    @property
    def statistics(self) -> Statistics:
        """What has been done so far; from any thread."""
        with self._counting:
            return self._statistics

    def dropped(self, count: int) -> None:
        """Take note of messages that have been given up, so that ingest is told; from any thread."""
        if count:
            log.warning("messages_dropped", count=count)
            self._count(dropped=count)
            self._dropped_more.set()

    def connected(self, connection: Connection) -> None:
        """Say who is here and what was dropped, and ask for the stored-acks."""
        if self._presence is not None:
            connection.publish(topic(self._presence, Channel.STATE), b"online", qos=1, retain=True)
        self._introductions.begin(connection)

    def disconnected(self) -> None:
        """Plan to publish again at once what the broker has not confirmed."""
        for what in self._under_way.values():
            if isinstance(what, int) and what in self._unstored:
                self._unstored.hurry(what)
        self._under_way.clear()

    def received(self, connection: Connection, message: Message) -> None:
        """Keep a stored-ack for the next turn."""
        connection.acknowledge(message)
        address = parse_topic(message.topic)
        if isinstance(address, Rejection) or address[1] is not Channel.ACK:
            return
        ack = decode_ack(message.payload, message.content_type)
        if isinstance(ack, StoredAck):
            self._acks.append((address[0], ack))
        else:
            log.warning("ack_unreadable", detail=ack.detail)

    def settled(self, packet_id: int, *, reason: int) -> None:
        """Judge a PUBACK: anything but 0x00 means that the broker has not got the message."""
        what = self._under_way.pop(packet_id, None)
        if what is None or reason == _ACCEPTED:
            self._pause_s = _FIRST_PAUSE_S
            return
        self._count(refused=1)
        now = time.monotonic()
        if reason == _NOT_AUTHORISED:
            self.refusal = "the broker does not authorise this client to publish (reason 0x87)"
            log.error("publish_not_authorised")
            self._changed()
        if now >= self._pause_until:
            log.info("publish_refused", reason=hex(reason), pause_s=self._pause_s)
            self._pause_until = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, self._resend_after_s)
        if isinstance(what, tuple):
            self._introductions.repeat(*what)
        elif what in self._unstored:
            self._unstored.hurry(what)

    def turn(self, connection: Connection) -> float:
        """Apply what has been stored and publish what is due."""
        self._apply_acks()
        if self.refusal is not None:
            return self._resend_after_s
        now = time.monotonic()
        if now < self._pause_until:
            return self._pause_until - now
        if self._dropped_more.is_set():
            self._dropped_more.clear()
            self._introductions.tell_dropped()
        room = min(self._most_in_flight, connection.receive_maximum)
        while len(self._under_way) < room:
            if not (self._publish_hello(connection) or self._publish_message(connection, now)):
                return self._unstored.wait_s(now)
        # A PUBACK will make room, and be noticed.
        return self._resend_after_s

    def _apply_acks(self) -> None:
        if not self._acks:
            return
        with self._counting:
            removed = self._outbox.remove_stored(self._acks)
            self._count(acked=len(removed), samples_acked=sum(each.samples for each in removed))
        self._acks.clear()
        for each in removed:
            self._unstored.remove(each.position)
        self._changed()

    def _count(self, **more: int) -> None:
        with self._counting:
            counts = {name: getattr(self._statistics, name) + number for name, number in more.items()}
            self._statistics = replace(self._statistics, **counts)

    def _publish_hello(self, connection: Connection) -> bool:
        hello = self._introductions.next_hello()
        if hello is None:
            return False
        address = topic(hello.vehicle_id, Channel.HELLO)
        packet_id = connection.publish(address, encode_hello(hello), qos=1, content_type=MESSAGEPACK)
        if packet_id is not None:
            self._under_way[packet_id] = (hello.vehicle_id, hello.boot)
        return packet_id is not None

    def _publish_message(self, connection: Connection, now: float) -> bool:
        kept = self._due_again(now)
        again = kept is not None
        if kept is None:
            kept = self._next_unsent()
        if kept is None:
            return False
        draft = kept.draft
        address = topic(draft.vehicle_id, draft.channel)
        size = len(draft.payload) + len(address) + _PACKET_OVERHEAD_BYTES
        if connection.maximum_packet_bytes is not None and size > connection.maximum_packet_bytes:
            log.error("message_too_large", bytes=size, broker_takes=connection.maximum_packet_bytes)
            self._unstored.remove(kept.position)
            self.dropped(len(self._outbox.give_up(kept.position)))
            self._introductions.tell_dropped()
            self._changed()
            return True
        self._introductions.introduce(connection, draft.vehicle_id, draft.boot)
        self._unstored.put_off(kept.position, now)
        # Boot and seq stand beside the payload, so that one that cannot be read can still be acknowledged.
        user = {"boot": draft.boot, "seq": str(draft.seq)}
        packet_id = connection.publish(address, draft.payload, qos=1, content_type=draft.content_type, user=user)
        if packet_id is None:
            self._unstored.hurry(kept.position)
            return False
        self._under_way[packet_id] = kept.position
        if again:
            self._count(resent=1)
        else:
            self._count(published=1, samples_published=draft.samples)
        return True

    def _due_again(self, now: float) -> Kept | None:
        """The next message whose stored-ack is overdue."""
        while (position := self._unstored.due(now)) is not None:
            kept = self._outbox.get(position)
            if kept is not None:
                return kept
            self._unstored.remove(position)
        return None

    def _next_unsent(self) -> Kept | None:
        if len(self._unstored) >= self._window:
            return None
        for channel, ahead in self._ahead.items():
            appends = self._outbox.appends
            if not ahead and self._nothing_since[channel] != appends:
                ahead.extend(self._outbox.read(channel, self._read_to[channel], _READ_AHEAD))
            if ahead:
                self._read_to[channel] = ahead[0].position
                return ahead.popleft()
            self._nothing_since[channel] = appends
        return None
