"""The parts of paho that are replaced are still where they were: they are private to it."""

import socket
import threading

import pytest

from agent.connection import Message
from agent.mqtt_client import MqttClient
from agent.stream import BufferedStream
from tests.support.mqtt import publish

pytestmark = pytest.mark.integration


def test_messages_come_through_our_stream_and_our_reading(broker: tuple[str, int]) -> None:
    received: list[Message] = []
    client = MqttClient("replaced-parts", received.append)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(*broker)
    assert client.stream is not None
    client.stream.setblocking(True)

    def exchange() -> None:
        assert client.stream is not None
        client.loop_write()
        client.stream.flush()
        client.loop_read()

    exchange()
    client.subscribe("replaced/#", qos=1)
    while not subscribed.is_set():
        exchange()
    sent = [Message("replaced/parts", b"payload", 1, 1, "text/plain", {"boot": str(number)}) for number in range(30)]
    publish(broker, sent)
    while len(received) < len(sent):
        client.read_publishes(7)
        if len(received) < len(sent):
            exchange()
    assert received == [each._replace(packet_id=came.packet_id) for each, came in zip(sent, received, strict=True)]
    client.ack(received[0].packet_id, 1)
    # Not in paho's queue, which is empty, but in the stream.
    assert (client.stream.unsent, client.want_write()) == (True, False)
    told = Message("replaced/told", b"ack", 0, 0, "application/json", {})
    client.tell(told.topic, told.payload, "application/json")
    assert not client.want_write()
    while len(received) == len(sent):
        exchange()
    assert received.pop() == told
    client.disconnect()
    # Behind what waits in paho's queue, so that the order is kept.
    unsent = client.stream.unsent
    client.ack(received[1].packet_id, 1)
    client.tell(told.topic, told.payload, "application/json")
    assert client.want_write()
    assert client.stream.unsent == unsent
    client.loop_write()


def test_a_packet_is_read_only_when_it_has_arrived_whole() -> None:
    near, far = socket.socketpair()
    with near, far:
        stream = BufferedStream(near)
        whole = bytes([0x30, 0xC8, 0x01]) + bytes(200)
        for size in range(1, len(whole)):
            far.sendall(whole[:size])
            assert stream.recv(0) == b""
            stream.skip(0)
            assert stream.next_packet() is None
            stream.skip(size)
        far.sendall(whole + b"\xd0\x00")
        stream.recv(0)
        assert stream.next_packet() == (0x30, bytes(200), 203)
        stream.skip(203)
        assert stream.next_packet() == (0xD0, b"", 2)
