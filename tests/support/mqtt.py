"""Plain MQTT clients for tests: one that publishes, and one that listens and can answer like ingest."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from agent.connection import Connection, Message
from agent.link import Link
from vehicle.batch import StoredAck
from vehicle.codec import JSON
from vehicle.topics import UPWARD, Channel, topic
from vehicle.wire import encode_ack

PATIENCE_S = 20.0


def wait_for(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return once `condition` holds, and fail the test if it does not come to."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain: {what}"
        time.sleep(0.01)


class Listener:
    """Takes what is sent on some channels of some vehicles and acknowledges it to the broker."""

    def __init__(self, vehicle_ids: tuple[str, ...], channels: tuple[Channel, ...]) -> None:
        self._topics = [topic(vehicle_id, channel) for vehicle_id in vehicle_ids for channel in channels]
        self.messages: list[Message] = []
        self._acks: list[tuple[str, StoredAck]] = []
        self.ready = threading.Event()

    def batches(self) -> list[tuple[str, int, bytes]]:
        """Topic, seq and payload of what has arrived, hellos left out."""
        return [(m.topic, int(m.user["seq"]), m.payload) for m in self.messages if m.user]

    def tell_stored(self, vehicle_id: str, boot: str, through: int) -> None:
        """Send a stored-ack."""
        self._acks.append((vehicle_id, StoredAck(boot, through)))

    def connected(self, connection: Connection) -> None:
        connection.subscribe((name, 1) for name in self._topics)
        self.ready.set()

    def received(self, connection: Connection, message: Message) -> None:
        connection.acknowledge(message)
        self.messages.append(message)

    def settled(self, packet_id: int, *, reason: int) -> None: ...

    def disconnected(self) -> None: ...

    def turn(self, connection: Connection) -> float:
        while self._acks:
            vehicle_id, ack = self._acks.pop(0)
            connection.tell(topic(vehicle_id, Channel.ACK), encode_ack(ack), JSON)
        return 0.01


class Publisher:
    """Publishes messages as they are, however broken."""

    def __init__(self, messages: list[Message]) -> None:
        self._left = list(messages)
        self._open: set[int] = set()
        self.done = threading.Event()

    def connected(self, connection: Connection) -> None: ...

    def received(self, connection: Connection, message: Message) -> None: ...

    def settled(self, packet_id: int, *, reason: int) -> None:  # noqa: ARG002 - any answer will do
        self._open.discard(packet_id)

    def disconnected(self) -> None: ...

    def turn(self, connection: Connection) -> float:
        while self._left and len(self._open) < 20:
            message = self._left.pop(0)
            packet_id = connection.publish(
                message.topic, message.payload, content_type=message.content_type, user=message.user
            )
            assert packet_id is not None
            self._open.add(packet_id)
        if not self._left and not self._open:
            self.done.set()
        return 0.01


@contextmanager
def listening(
    broker: tuple[str, int], *vehicle_ids: str, channels: tuple[Channel, ...] = (*UPWARD, Channel.STATE)
) -> Iterator[Listener]:
    """A listener that has subscribed."""
    listener = Listener(vehicle_ids, channels)
    link = Link(listener, *broker, client_id=f"listener-{vehicle_ids[0]}", rng=np.random.default_rng(0))
    link.start()
    try:
        assert listener.ready.wait(PATIENCE_S)
        time.sleep(0.05)
        yield listener
    finally:
        link.stop()
    link.check()


def publish(broker: tuple[str, int], messages: list[Message]) -> None:
    """Publish messages and return when the broker has confirmed each."""
    publisher = Publisher(messages)
    link = Link(publisher, *broker, client_id="test-publisher", rng=np.random.default_rng(0))
    link.start()
    assert publisher.done.wait(PATIENCE_S)
    link.stop()


def end_session(broker: tuple[str, int], client_id: str) -> None:
    """Have the broker forget a client and what it keeps for it."""
    nobody = Publisher([])
    # Its session ends with its connection, because this one asks for no expiry.
    link = Link(nobody, *broker, client_id=client_id, rng=np.random.default_rng(0))
    link.start()
    assert nobody.done.wait(PATIENCE_S)
    link.stop()
