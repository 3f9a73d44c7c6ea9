"""Who speaks on a connection: each boot is introduced by a hello, and what is said to each vehicle is asked for."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from agent.connection import Connection
from agent.outbox import Outbox
from vehicle.batch import Hello
from vehicle.signals import CATALOGUE_VERSION
from vehicle.topics import Channel, topic

_SUBSCRIPTIONS_A_PACKET: Final = 100
_DOWNWARD: Final = (Channel.ACK, Channel.COMMAND)
"""What the service centre says to a vehicle."""


class Introductions:
    """The hellos that are still to be sent, and the vehicles whose stored-acks and commands this connection gets."""

    def __init__(self, outbox: Outbox, software: str, now: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._software = software
        self._now = now
        self._boots: dict[str, str] = {}
        self._subscribed: set[str] = set()
        self._introduced: set[tuple[str, str]] = set()
        self._hellos: deque[tuple[str, str]] = deque()

    def begin(self, connection: Connection) -> None:
        """Start again on a new connection with every boot that has something waiting, and every vehicle's latest."""
        self._subscribed.clear()
        self._introduced.clear()
        self._hellos.clear()
        known = [*self._outbox.boots(), *self._boots.items()]
        self._subscribe(connection, {vehicle_id for vehicle_id, _ in known})
        for vehicle_id, boot in known:
            self.introduce(connection, vehicle_id, boot)

    def introduce(self, connection: Connection, vehicle_id: str, boot: str) -> None:
        """Do what must come before the first batch of a boot on this connection."""
        if (vehicle_id, boot) in self._introduced:
            return
        self._subscribe(connection, {vehicle_id})
        self._introduced.add((vehicle_id, boot))
        self._boots[vehicle_id] = boot
        self.repeat(vehicle_id, boot)

    def repeat(self, vehicle_id: str, boot: str) -> None:
        """Have the hello sent, once more if need be."""
        if (vehicle_id, boot) not in self._hellos:
            self._hellos.append((vehicle_id, boot))

    def tell_dropped(self) -> None:
        """Have the vehicles that have given something up say so."""
        for vehicle_id, boot in self._outbox.dropped_boots():
            self.repeat(vehicle_id, boot)

    def next_hello(self) -> Hello | None:
        """The next hello to send; it is not given again."""
        if not self._hellos:
            return None
        vehicle_id, boot = self._hellos.popleft()
        dropped = self._outbox.dropped(vehicle_id, boot)
        return Hello(vehicle_id, boot, self._software, CATALOGUE_VERSION, self._now(), dropped)

    def _subscribe(self, connection: Connection, vehicles: set[str]) -> None:
        fresh = sorted(vehicles - self._subscribed)
        filters = [(topic(vehicle_id, channel), 1) for vehicle_id in fresh for channel in _DOWNWARD]
        for start in range(0, len(filters), _SUBSCRIPTIONS_A_PACKET):
            connection.subscribe(filters[start : start + _SUBSCRIPTIONS_A_PACKET])
        self._subscribed.update(fresh)
