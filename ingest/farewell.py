"""Ends an MQTT session that nobody will use again, so that the broker keeps no more messages for it."""

import threading
from typing import Final

import numpy as np

from agent.connection import Connection, Message
from agent.link import Link

_PATIENCE_S: Final = 5.0


class _Leaving:
    """The party of a link that has come to end its session."""

    def __init__(self) -> None:
        self.accepted = threading.Event()

    def connected(self, connection: Connection) -> None:  # noqa: ARG002 - every party is told its connection
        self.accepted.set()

    def received(self, connection: Connection, message: Message) -> None:
        """Nothing: what is not acknowledged is the vehicles' to send again."""

    def settled(self, packet_id: int, *, reason: int) -> None:
        """Nothing: nothing is published."""

    def disconnected(self) -> None:
        """Nothing: the session has ended with the connection."""

    def turn(self, connection: Connection) -> float:  # noqa: ARG002 - as above
        return _PATIENCE_S


def end_session(host: str, port: int, client_id: str, rng: np.random.Generator) -> bool:
    """End a session of which no process has a connection; whether the broker could be told."""
    party = _Leaving()
    # With the expiry that this link asks for, none, the session ends with its connection.
    link = Link(party, host, port, client_id=client_id, rng=rng, longest_delay_s=1.0)
    link.start()
    told = party.accepted.wait(_PATIENCE_S)
    link.stop()
    return told
