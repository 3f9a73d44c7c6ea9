"""What to publish when: the party of an agent's link, and the owner of what is under way."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Final

import structlog

from agent.connection import Connection, Message
from agent.draft import Kept
from agent.inbox import Inbox
from agent.introductions import Introductions
from agent.outbox import Outbox
from agent.schedule import Schedule
from agent.statistics import Statistics
from agent.unsent import Unsent
from vehicle.codec import MESSAGEPACK
from vehicle.topics import Channel, topic
from vehicle.wire import encode_hello

_ACCEPTED: Final = 0x00
_NOT_AUTHORISED: Final = 0x87
_FIRST_PAUSE_S: Final = 0.25
"""After a PUBACK that is not 0x00, e.g. 0x10 (nobody listens) or 0x97 (quota); doubled each time in a row."""
_PACKET_OVERHEAD_BYTES: Final = 128
"""MQTT 5 header, content type and the user properties boot and seq, rounded up."""

log = structlog.get_logger()


class AckMode(StrEnum):
    """What lets a message leave the outbox."""

    STORED = "stored"
    """Ingest's stored-ack: it is in the database."""
    BROKER = "broker"
    """The broker's PUBACK: weaker, for a service centre without stored-acks. What the broker loses is lost."""


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
        ack_mode: AckMode = AckMode.STORED,
    ) -> None:
        self._outbox = outbox
        self._ack_mode = ack_mode
        self._introductions = introductions
        self._resend_after_s = resend_after_s
        self._most_in_flight = in_flight
        self._window = window
        self._presence = presence
        self._changed = changed
        self._unsent = Unsent(outbox)
        self._unstored = Schedule(resend_after_s)
        self._under_way: dict[int, int | tuple[str, str]] = {}
        self._inbox = Inbox()
        self._confirmed: list[int] = []
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
            connection.publish(topic(self._presence, Channel.STATE), b"online", retain=True)
        self._introductions.begin(connection)

    def disconnected(self) -> None:
        """Plan to publish again at once what the broker has not confirmed."""
        for what in self._under_way.values():
            if isinstance(what, int) and what in self._unstored:
                self._unstored.hurry(what)
        self._under_way.clear()

    def received(self, connection: Connection, message: Message) -> None:
        """Keep a stored-ack or a command for the next turn."""
        connection.acknowledge(message)
        self._inbox.put(message)

    def settled(self, packet_id: int, *, reason: int) -> None:
        """Judge a PUBACK: anything but 0x00 means that the broker has not got the message."""
        what = self._under_way.pop(packet_id, None)
        if what is None or reason == _ACCEPTED:
            self._pause_s = _FIRST_PAUSE_S
            if isinstance(what, int) and self._ack_mode is AckMode.BROKER:
                self._confirmed.append(what)
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
        """Apply what has been asked for and stored, and publish what is due."""
        # A command came before any stored-ack that is newer than it: obeyed later, it would miss what that removes.
        self._obey_commands()
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

    def _obey_commands(self) -> None:
        """Make due at once what ingest asks for again, and have it told what is gone."""
        for vehicle_id, command in self._inbox.take_commands():
            found = self._outbox.look_for(vehicle_id, command)
            under_way = set(self._under_way.values())
            for position in found.positions:
                # What was never published is on its way in the outbox's order.
                if position in self._unstored and position not in under_way:
                    self._unstored.hurry(position)
            if found.lost:
                log.error("acked_messages_lost_by_receiver", boot=command.boot, count=found.lost)
                self._count(lost_after_ack=found.lost)
            if found.gone:
                self._introductions.repeat(vehicle_id, command.boot)

    def _apply_acks(self) -> None:
        acks, (confirmed, self._confirmed) = self._inbox.take_acks(), (self._confirmed, [])
        if not acks and not confirmed:
            return
        with self._counting:
            removed = [*self._outbox.remove_stored(acks), *self._outbox.remove(confirmed)]
            self._count(acked=len(removed), samples_acked=sum(each.samples for each in removed))
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
        payload = encode_hello(hello)
        while hello.dropped and not _fits(connection, address, payload):
            hello = replace(hello, dropped=hello.dropped[: len(hello.dropped) // 2])
            payload = encode_hello(hello)
        packet_id = connection.publish(address, payload, content_type=MESSAGEPACK)
        if packet_id is not None:
            self._under_way[packet_id] = (hello.vehicle_id, hello.boot)
        return packet_id is not None

    def _publish_message(self, connection: Connection, now: float) -> bool:
        kept = self._due_again(now)
        again = kept is not None
        if kept is None and len(self._unstored) < self._window:
            kept = self._unsent.next()
        if kept is None:
            return False
        draft = kept.draft
        address = topic(draft.vehicle_id, draft.channel)
        if not _fits(connection, address, draft.payload):
            log.error("message_too_large", bytes=len(draft.payload), broker_takes=connection.maximum_packet_bytes)
            self._unstored.remove(kept.position)
            self.dropped(len(self._outbox.give_up(kept.position)))
            self._introductions.tell_dropped()
            self._changed()
            return True
        self._introductions.introduce(connection, draft.vehicle_id, draft.boot)
        self._unstored.put_off(kept.position, now)
        # Boot and seq stand beside the payload, so that one that cannot be read can still be acknowledged.
        user = {"boot": draft.boot, "seq": str(draft.seq)}
        packet_id = connection.publish(address, draft.payload, content_type=draft.content_type, user=user)
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


def _fits(connection: Connection, address: str, payload: bytes) -> bool:
    """Whether the broker takes a packet with this payload: it disconnects who sends a larger one."""
    size = len(payload) + len(address) + _PACKET_OVERHEAD_BYTES
    return connection.maximum_packet_bytes is None or size <= connection.maximum_packet_bytes
