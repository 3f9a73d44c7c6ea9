"""An HTTP server that answers as badly as it is told to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

PASSED_ON = frozenset({"idempotency-key", "content-type"})


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Script = Callable[[socket.socket, Request], None]
"""What to do with a connection once the request is read."""


@dataclass
class BadServer:
    """Plays one script per request, the last one again and again."""

    url: str
    scripts: list[Script]
    requests: list[Request] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _read(connection)
            self.requests.append(request)
            self.scripts[min(len(self.requests), len(self.scripts)) - 1](connection, request)


@contextmanager
def bad_server(*scripts: Script) -> Iterator[BadServer]:
    """A server on a free port that plays these scripts, one per request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = BadServer(f"http://127.0.0.1:{listener.getsockname()[1]}", list(scripts))

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=server.serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def answer(status: int, body: bytes = b"", /, **headers: str) -> Script:
    """A whole answer; underscores in header names stand for hyphens."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda connection, _: connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def hang(seconds: float) -> Script:
    """Nothing at all, for a time."""
    return lambda *_: time.sleep(seconds)


def drip(text: bytes, pause_s: float) -> Script:
    """A byte now and then."""

    def play(connection: socket.socket, _: Request) -> None:
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(pause_s)

    return play


def flood(status: int, megabytes: int, sent: list[int]) -> Script:
    """A body without end, nearly; notes in `sent` how many bytes were taken."""

    def play(connection: socket.socket, _: Request) -> None:
        size = megabytes * 1024 * 1024
        connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\n\r\n".encode())
        block = b" " * 65536
        with suppress(OSError):
            sent.extend(connection.send(block) for _ in range(size // len(block)))

    return play


def cut(connection: socket.socket, _: Request) -> None:
    """Half an answer, then the end."""
    connection.sendall(b"HTTP/1.1 201 X\r\nContent-Length: 500\r\n\r\n{")


def slam(connection: socket.socket, _: Request) -> None:
    """A reset instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def forward(target: str, then: Script | None = None) -> Script:
    """What a real server answers; or its deed, but another script's answer."""

    def play(connection: socket.socket, request: Request) -> None:
        headers = {name: value for name, value in request.headers.items() if name in PASSED_ON}
        real = httpx.request(
            request.method, target + request.path, headers=headers, content=request.body, trust_env=False
        )
        (then or answer(real.status_code, real.content))(connection, request)

    return play


def _read(connection: socket.socket) -> Request:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, body = received.split(b"\r\n\r\n", 1)
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Request(method, path, headers, body)
