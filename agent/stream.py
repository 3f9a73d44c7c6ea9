"""A TCP stream that asks the kernel for much at a time, because its reader asks for little.

paho reads a packet's header byte by byte and writes each packet by itself: four system calls for a message and
one for its acknowledgement, which is a third of what a message costs. Here one call serves many packets.
"""

import socket
from typing import Final

from agent.framing import read_length

_READ_BYTES: Final = 64 * 1024
_MOST_UNSENT_BYTES: Final = 256 * 1024
"""What may wait for `flush` and for the network; more is the writer's to keep."""


class BufferedStream:
    """The part of a socket's interface that an MQTT client uses; not thread-safe."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self._received = b""
        self._position = 0
        self._unsent = bytearray()

    def fileno(self) -> int:
        """The socket's descriptor; -1 once it is closed."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the name and shape of socket.socket's
        """As of the socket."""
        self._socket.setblocking(flag)

    @property
    def readable(self) -> bool:
        """Whether `recv` has bytes without asking the kernel."""
        return self._position < len(self._received)

    @property
    def unsent(self) -> bool:
        """Whether bytes wait for `flush`."""
        return bool(self._unsent)

    def recv(self, size: int) -> bytes:
        """At most `size` bytes; none at the end of the stream.

        Raises:
            BlockingIOError: if nothing has arrived.
            OSError: if the connection is lost.
        """
        if self._position >= len(self._received):
            if size >= _READ_BYTES:
                return self._socket.recv(size)
            self._received = self._socket.recv(_READ_BYTES)
            self._position = 0
        end = self._position + size
        part = self._received[self._position : end]
        self._position = end
        return part

    def next_packet(self) -> tuple[int, bytes, int] | None:
        """The MQTT packet that comes next, if all of it has been received: first byte, content, and size for `skip`."""
        received, position = self._received, self._position
        try:
            length, start = read_length(received, position + 1)
        except (IndexError, ValueError):
            return None
        end = start + length
        return (received[position], received[start:end], end - position) if end <= len(received) else None

    def skip(self, size: int) -> None:
        """Leave out so many bytes of what has been received."""
        self._position += size

    def send(self, data: bytes | bytearray) -> int:
        """Keep `data` for `flush`; how much of it was taken.

        Raises:
            BlockingIOError: if the network takes no more.
            OSError: if the connection is lost.
        """
        if len(self._unsent) >= _MOST_UNSENT_BYTES:
            self.flush()
            if len(self._unsent) >= _MOST_UNSENT_BYTES:
                raise BlockingIOError
        self._unsent += data
        return len(data)

    def flush(self) -> None:
        """Send what is kept, as far as the network takes it.

        Raises:
            OSError: if the connection is lost.
        """
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                return
            del self._unsent[:sent]

    def close(self) -> None:
        """Send what is kept if that can be done at once, and close the socket."""
        try:
            self.flush()
        except OSError:
            self._unsent.clear()
        self._socket.close()
