"""MQTT 5 as bytes on a socket: what no library would send, such as the DUP flag at will or a topic that is no text."""

import itertools
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from agent.framing import write_length

_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 0x10, 0x20, 0x30, 0x40
_QOS_1: Final = 0x02
_DUP: Final = 0x08
_CONTENT_TYPE: Final = 0x03
_USER_PROPERTY: Final = 0x26
_PATIENCE_S: Final = 10.0
_NO_PROPERTIES: Final = b"\x00"


class RawPublisher:
    """One connection; `publish` returns once the broker has answered."""

    def __init__(self, broker: tuple[str, int], client_id: str) -> None:
        self._socket = socket.create_connection(broker, timeout=_PATIENCE_S)
        clean_start, keepalive = b"\x02", b"\x00\x3c"
        variable = _text(b"MQTT") + b"\x05" + clean_start + keepalive + _NO_PROPERTIES + _text(client_id.encode())
        self._send(_CONNECT, variable)
        kind, body = self._packet()
        assert (kind & 0xF0, body[1]) == (_CONNACK, 0), "the broker refuses the connection"
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def publish(
        self,
        topic: bytes,
        payload: bytes,
        *,
        packet_id: int | None = None,
        duplicate: bool = False,
        content_type: str | None = None,
        user: Mapping[str, str] | None = None,
    ) -> bool:
        """Send one message with QoS 1; False if the broker hangs up instead of answering with a PUBACK."""
        packet_id = packet_id or next(self._ids)
        properties = b"" if content_type is None else bytes([_CONTENT_TYPE]) + _text(content_type.encode())
        for name, value in (user or {}).items():
            properties += bytes([_USER_PROPERTY]) + _text(name.encode()) + _text(value.encode())
        head = _PUBLISH | _QOS_1 | (_DUP if duplicate else 0)
        variable = _text(topic) + packet_id.to_bytes(2, "big") + write_length(len(properties)) + properties
        try:
            self._send(head, variable + payload)
            kind, body = self._packet()
        except (ConnectionError, EOFError):
            return False
        return kind & 0xF0 == _PUBACK and int.from_bytes(body[:2], "big") == packet_id

    def _send(self, head: int, rest: bytes) -> None:
        self._socket.sendall(bytes([head]) + write_length(len(rest)) + rest)

    def _packet(self) -> tuple[int, bytes]:
        head = self._read(1)[0]
        length = 0
        for shift in range(0, 28, 7):
            byte = self._read(1)[0]
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        return head, self._read(length)

    def _read(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            more = self._socket.recv(count - len(received))
            if not more:
                raise EOFError
            received += more
        return received


def _text(encoded: bytes) -> bytes:
    return len(encoded).to_bytes(2, "big") + encoded
