"""What the broker counts about itself."""

import threading
from typing import Final

import numpy as np

from agent.connection import Connection, Message
from agent.link import Link
from tests.support.mqtt import PATIENCE_S

_DROPPED: Final = "$SYS/broker/publish/messages/dropped"


class _Question:
    """The party that takes one retained answer."""

    def __init__(self) -> None:
        self.answer = ""
        self.answered = threading.Event()

    def connected(self, connection: Connection) -> None:
        connection.subscribe([(_DROPPED, 0)])

    def received(self, connection: Connection, message: Message) -> None:  # noqa: ARG002 - nothing to acknowledge at QoS 0
        self.answer = message.payload.decode()
        self.answered.set()

    def settled(self, packet_id: int, *, reason: int) -> None: ...

    def disconnected(self) -> None: ...

    def turn(self, connection: Connection) -> float:  # noqa: ARG002 - nothing is due
        return 1.0


def dropped_by_broker(broker: tuple[str, int]) -> int:
    """How many messages the broker has thrown away since it was started, as of at most ten seconds ago."""
    question = _Question()
    link = Link(question, *broker, client_id="question", rng=np.random.default_rng(0))
    link.start()
    try:
        assert question.answered.wait(PATIENCE_S), "the broker says nothing about itself"
    finally:
        link.stop()
    return int(question.answer)
