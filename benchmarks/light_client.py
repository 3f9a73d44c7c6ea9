"""A publisher that costs little, because it shares two processors with what it measures: MQTT 5 on a plain socket.

It can do what a benchmark needs and no more: connect, subscribe at QoS 0, publish at QoS 1 with content type and
user properties, for a third of the stock client's CPU (a paced message of 6 kB: 95 us, with paho 282 us). The packets
are those of the OASIS standard, sections 3.1 to 3.14.
"""

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from agent.framing import read_length, write_length
from agent.publish_packet import write_publish

_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK, _DISCONNECT = 1, 2, 3, 4, 8, 9, 14
_IN_FLIGHT: Final = 400
"""Less than our brokers' Receive Maximum, which is 1000."""
_KEEP_ALIVE_S: Final = 240
"""No connection of ours is silent for so long. Not 0, nor the broker's `max_keepalive` of 300, which 0 becomes: at just
that value mosquitto 2.0.21 ends connections at random, "has exceeded timeout" (seen in 1 of 30 within a second)."""
_PACKET_IDS: Final = 65_535
_READ_BYTES: Final = 256 * 1024
_PATIENCE_S: Final = 30.0
_FAILURES: Final = 0x80
"""Reason codes from here on are failures."""


class BrokerError(Exception):
    """The broker does not take what we send."""


class LightClient:
    """One connection for as long as a ``with`` block lasts; `publish` is for one thread."""

    def __init__(
        self, broker: tuple[str, int], client_id: str, hear: Callable[[str, bytes], None] | None = None
    ) -> None:
        """Make a client whose thread gives topic and payload of each message to `hear`."""
        self._broker = broker
        self._client_id = client_id
        self._hear = hear
        self._answered = threading.Event()
        self._room = threading.Semaphore(_IN_FLIGHT)
        self._failure: str | None = None
        self._closing = False
        self._last_id = 0
        self.unwanted = 0
        """Messages that the broker has confirmed and kept for nobody (reason code 0x10)."""

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            BrokerError: if the broker refuses.
        """
        self._socket = socket.create_connection(self._broker)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._read, name=self._client_id, daemon=True)
        self._thread.start()
        # Protocol version, clean start, keep-alive, no properties.
        variable = struct.pack(">BBHB", 5, 2, _KEEP_ALIVE_S, 0)
        self._ask(_CONNECT << 4, _text("MQTT") + variable + _text(self._client_id))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._closing = True
        with suppress(OSError):  # the broker may have been first
            self._socket.sendall(_packet(_DISCONNECT << 4, b""))
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def subscribe(self, topics: str) -> None:
        """Have messages of these topics given to `hear`, at QoS 0."""
        self._ask(_SUBSCRIBE << 4 | 2, b"\0\1\0" + _text(topics) + b"\0")

    def publish(self, topic: str, payload: bytes, content_type: str, user: Mapping[str, str]) -> None:
        """Publish at QoS 1; waits while too many are not confirmed.

        Raises:
            BrokerError: if one was refused, or none is confirmed any more.
        """
        self._take_room()
        self._last_id = self._last_id % _PACKET_IDS + 1
        try:
            self._socket.sendall(write_publish(topic, payload, content_type, user, self._last_id))
        except OSError as error:
            raise BrokerError(self._failure or str(error)) from None

    def wait_until_confirmed(self) -> None:
        """Return when the broker has confirmed all that was published.

        Raises:
            BrokerError: if one was refused, or none is confirmed any more.
        """
        for _ in range(_IN_FLIGHT):
            self._take_room()
        self._room.release(_IN_FLIGHT)

    def _take_room(self) -> None:
        if not self._room.acquire(timeout=_PATIENCE_S):
            raise BrokerError(self._failure or "the broker confirms nothing any more")
        if self._failure is not None:
            raise BrokerError(self._failure)

    def _ask(self, header: int, body: bytes) -> None:
        self._answered.clear()
        self._socket.sendall(_packet(header, body))
        if not self._answered.wait(_PATIENCE_S) or self._failure is not None:
            raise BrokerError(self._failure or "the broker does not answer")

    def _read(self) -> None:
        buffer = bytearray()
        try:
            while received := self._socket.recv(_READ_BYTES):
                buffer += received
                position = 0
                while (end := _packet_end(buffer, position)) is not None:
                    self._take(buffer[position], buffer[end[0] : end[1]])
                    position = end[1]
                del buffer[:position]
        except OSError as error:
            self._fail(str(error))
        self._fail("the broker has hung up")

    def _take(self, header: int, body: bytearray) -> None:
        kind = header >> 4
        if kind == _PUBACK:
            reason = body[2] if len(body) > 2 else 0  # noqa: PLR2004 - the packet id comes before it
            if reason >= _FAILURES:
                self._fail(f"a message was refused with reason {reason:#x}")
            self.unwanted += reason != 0
            self._room.release()
        elif kind == _PUBLISH and self._hear is not None:
            length = int.from_bytes(body[:2]) + 2
            properties, start = read_length(body, length)
            self._hear(body[2:length].decode(), bytes(body[start + properties :]))
        elif kind in (_CONNACK, _SUBACK):
            reason = body[1] if kind == _CONNACK else body[-1]
            if reason >= _FAILURES:
                self._fail(f"the broker refuses with reason {reason:#x}")
            self._answered.set()
        elif kind == _DISCONNECT:
            self._fail(f"the broker hangs up with reason {body[0] if body else 0:#x}")

    def _fail(self, why: str) -> None:
        if not self._closing:
            self._failure = self._failure or why
        self._answered.set()
        self._room.release()


def _packet(header: int, body: bytes) -> bytes:
    return bytes([header]) + write_length(len(body)) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _packet_end(buffer: bytearray, position: int) -> tuple[int, int] | None:
    """Where the body of the packet at `position` begins and ends; None if it is not all there yet."""
    try:
        length, start = read_length(buffer, position + 1)
    except IndexError:
        return None
    return (start, start + length) if start + length <= len(buffer) else None
