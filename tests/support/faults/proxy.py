"""A TCP proxy that counts bytes and, as its plan says, cuts a connection inside a frame or keeps back a reply."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

_CHUNK: Final = 64 * 1024
_LOOPBACK: Final = "127.0.0.1"


class Fate(Protocol):
    """What becomes of one connection; its two methods run on two threads."""

    def up(self, data: bytes) -> tuple[bytes, bool]:
        """What of the client's bytes goes on, and whether the connection ends then."""

    def down(self, data: bytes) -> tuple[bytes, bool]:
        """The same of the server's."""


class Unharmed:
    """A connection that is let alone."""

    def up(self, data: bytes) -> tuple[bytes, bool]:
        return data, False

    def down(self, data: bytes) -> tuple[bytes, bool]:
        return data, False


class CutAfter:
    """A connection that ends after so many bytes, of both directions together, wherever in a frame that is."""

    def __init__(self, byte_count: int) -> None:
        self._left = byte_count
        self._lock = threading.Lock()

    def up(self, data: bytes) -> tuple[bytes, bool]:
        with self._lock:
            passed = data[: self._left]
            self._left -= len(passed)
            # The other direction may have ended it already, and an end counts once.
            return passed, bool(passed) and self._left == 0

    down = up


class Proxy:
    """Listens on a free loopback port and passes connections on to a server, from `with` to its end."""

    def __init__(self, server: tuple[str, int], fate: Callable[[], Fate] = Unharmed, *, delay_s: float = 0.0) -> None:
        """Make a proxy.

        Args:
            server: Where connections go.
            fate: Asked for each new connection.
            delay_s: How long every piece of data is held up.
        """
        self._server = server
        self._fate = fate
        self._delay_s = delay_s
        self._listener = socket.create_server((_LOOPBACK, 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self.cuts = 0
        """Connections that their fate has ended."""
        self.bytes = 0
        """Bytes passed on, both directions together."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to instead of the server's."""
        return _LOOPBACK, int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection."""
        self._closing = True
        # Closing a socket does not wake the thread that waits at it; a connection does.
        socket.create_connection(self.address).close()
        for open_one in list(self._open):
            _end(open_one)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._closing:
                client.close()
                return
            try:
                server = socket.create_connection(self._server, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            fate = self._fate()
            left = threading.Semaphore(1)
            with self._lock:
                self._open |= {client, server}
            self._spawn(self._pump, client, server, fate.up, left)
            self._spawn(self._pump, server, client, fate.down, left)

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        fate: Callable[[bytes], tuple[bytes, bool]],
        left: threading.Semaphore,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if self._delay_s:
                    time.sleep(self._delay_s)
                passed, ends = fate(data)
                sink.sendall(passed)
                with self._lock:
                    self.bytes += len(passed)
                    self.cuts += ends
                if ends:
                    break
        for each in (source, sink):
            _end(each)
        # The last of the two to leave closes what both use.
        if not left.acquire(blocking=False):
            with self._lock:
                self._open -= {source, sink}
            source.close()
            sink.close()


def _end(connection: socket.socket) -> None:
    """End a connection for both sides, and wake the threads that wait at it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
