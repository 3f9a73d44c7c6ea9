"""What wakes a thread that waits for its sockets."""

import contextlib
import socket


class Bell:
    """A socket pair: any thread rings, the waiting one has `fileno` among the descriptors that it polls."""

    def __init__(self) -> None:
        self._hear, self._ring = socket.socketpair()
        self._hear.setblocking(False)
        self._ring.setblocking(False)

    def fileno(self) -> int:
        """The descriptor that becomes readable when the bell is rung."""
        return self._hear.fileno()

    def ring(self) -> None:
        """Wake the thread that waits; one that has gone is not missed."""
        # A full socket has enough rings to be heard; to a closed one nobody listens.
        with contextlib.suppress(OSError):
            self._ring.send(b"!")

    def heard(self) -> None:
        """Forget the rings so far."""
        with contextlib.suppress(BlockingIOError):
            self._hear.recv(4096)

    def close(self) -> None:
        """Give the descriptors back."""
        self._hear.close()
        self._ring.close()
