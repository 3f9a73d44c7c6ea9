"""The buffered stream carries the same bytes as the socket under it."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.stream import BufferedStream


@pytest.fixture
def ends() -> Iterator[tuple[BufferedStream, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        yield BufferedStream(near), far


def read_all(stream: BufferedStream, sizes: list[int]) -> bytes:
    read = b""
    for size in [*sizes, *[100_000] * 10]:
        try:
            read += stream.recv(size)
        except BlockingIOError:
            break
    return read


@given(parts=st.lists(st.binary(min_size=1, max_size=2000), max_size=6), sizes=st.lists(st.integers(1, 500)))
def test_reading_in_any_portions_gives_the_same_bytes(parts: list[bytes], sizes: list[int]) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        for part in parts:
            far.sendall(part)
        assert read_all(BufferedStream(near), sizes) == b"".join(parts)


def test_one_call_of_the_kernel_serves_many_reads(ends: tuple[BufferedStream, socket.socket]) -> None:
    stream, far = ends
    far.sendall(b"abc")
    assert (stream.recv(1), stream.readable) == (b"a", True)
    far.close()
    assert stream.recv(5) == b"bc"
    assert (stream.readable, stream.recv(1)) == (False, b"")


def test_nothing_is_sent_before_the_flush(ends: tuple[BufferedStream, socket.socket]) -> None:
    stream, far = ends
    far.setblocking(False)
    assert stream.send(b"ab") + stream.send(bytearray(b"c")) == 3
    with pytest.raises(BlockingIOError):
        far.recv(10)
    stream.flush()
    assert (far.recv(10), stream.unsent) == (b"abc", False)


def test_what_the_network_does_not_take_waits_within_bounds(ends: tuple[BufferedStream, socket.socket]) -> None:
    stream, far = ends
    sent = 0
    with suppress(BlockingIOError):
        while sent < 50_000_000:
            sent += stream.send(bytes(10_000))
    assert 0 < sent < 50_000_000
    assert stream.unsent
    received = 0
    while received < sent:
        received += len(far.recv(1_000_000))
        stream.flush()
    assert (received, stream.unsent) == (sent, False)


def test_closing_sends_what_is_kept(ends: tuple[BufferedStream, socket.socket]) -> None:
    stream, far = ends
    stream.send(b"goodbye")
    stream.close()
    assert (far.recv(10), stream.fileno()) == (b"goodbye", -1)


def test_closing_a_lost_connection_is_no_error(ends: tuple[BufferedStream, socket.socket]) -> None:
    stream, far = ends
    far.close()
    stream.send(b"goodbye")
    stream.close()
    assert not stream.unsent
