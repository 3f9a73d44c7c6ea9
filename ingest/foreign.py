"""Foreign cars at ingest: an MQTT session of their own, their fields merged into rows, the rows stored like batches.

The session is not the one of native cars because rows are held for up to a second, and messages must be
acknowledged in the order in which they arrived (MQTT 5, 4.6). A message is acknowledged once what it told is
committed. There are no stored-acks: nobody waits for them. What is stored and not yet acknowledged when the
process or the connection ends comes again and is stored again, a little later: these protocols number nothing.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import psycopg

from agent.connection import Message
from config.clock import Clock
from ingest.confluence import Confluence, Row
from ingest.foreign_incoming import BatchMaker, ForeignIncoming, read
from ingest.foreign_registry import ForeignRegistry
from ingest.inbox import Delivery
from ingest.incoming import Incoming
from ingest.session import Session
from ingest.shard import Shard
from vehicle.foreign_address import ForeignTopics
from vehicle.rejection import Rejection

RECEIVE_MAXIMUM: Final = 2000
"""More than of native cars: one field a message, held for up to a second. The broker may allow fewer in flight."""
_BATCHES_A_FLUSH: Final = 250
_NO_WAIT: Final = timedelta(0)


@dataclass(slots=True)
class ForeignStatistics:
    """What has become of the messages."""

    merged: int = 0
    """Taken up in rows."""
    silent: int = 0
    """That told nothing that is kept: not sampled, private, of no use."""
    retained: int = 0
    """Kept by the broker from before, so not new."""
    refused: int = 0
    """For quarantine."""
    rows: int = 0


@dataclass(slots=True, eq=False)
class _Slot:
    """A message's place in the order of acknowledgements."""

    delivery: Delivery
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Portion:
    """What is stored together, and the messages that are done then."""

    batches: list[Incoming]
    slots: list[_Slot]


class ForeignCars:
    """The foreign cars of one shard: `take` what is to be stored, store it, and `settle` it."""

    def __init__(
        self,
        broker: tuple[str, int],
        topics: ForeignTopics,
        shard: Shard,
        *,
        wall: Clock,
        rng: np.random.Generator,
        longest_delay: timedelta = timedelta(seconds=60),
    ) -> None:
        """Make them known; nothing happens before `start`.

        Args:
            broker: Host and port.
            topics: Where they publish.
            shard: Whose vehicles are taken.
            wall: Tells the times of arrival.
            rng: Makes the boot, and spreads the attempts to connect.
            longest_delay: Between two attempts to connect.
        """
        self._shard = shard
        self._wall = wall
        self._topics = topics
        self._maker = BatchMaker(rng)
        self._registry = ForeignRegistry()
        self._confluence: Confluence[_Slot] = Confluence()
        self._unsorted: deque[Delivery] = deque()
        self._in_order: deque[_Slot] = deque()
        self._ready: deque[_Portion] = deque()
        self._taken: list[_Portion] = []
        self.statistics = ForeignStatistics()
        self.session = Session(
            *broker,
            client_id=f"{shard.client_id}-foreign",
            rng=rng,
            subscriptions=[(each, 1) for each in topics.filters],
            read=self._read,
            receive_maximum=RECEIVE_MAXIMUM,
            longest_delay=longest_delay,
        )

    def due(self) -> bool:
        """Whether there may be something to take: a message that waits, or an open row."""
        return bool(self.session.backlog().messages or self._unsorted or self._in_order)

    def take(self, connection: psycopg.Connection[Any], *, ending: bool = False) -> list[Incoming]:
        """What is to be stored now, of rows that have closed and messages that are refused.

        Args:
            connection: For a look at the registry; if it fails, nothing is lost, and `take` can be called again.
            ending: Close every row, and take no more messages.
        """
        if not ending:
            self._unsorted += self.session.take(RECEIVE_MAXIMUM - len(self._unsorted), _NO_WAIT).deliveries
        incoming = [delivery.incoming for delivery in self._unsorted]
        self._registry.look(connection, {each.address.sender for each in incoming if isinstance(each, ForeignIncoming)})
        while self._unsorted:
            self._sort(self._unsorted.popleft())
        self._keep(self._confluence.close_all() if ending else self._confluence.close(self._wall.now()))
        while self._ready and sum(len(portion.batches) for portion in self._taken) < _BATCHES_A_FLUSH:
            self._taken.append(self._ready.popleft())
        return [batch for portion in self._taken for batch in portion.batches]

    def settle(self) -> None:
        """What was taken is committed: acknowledge every message before which no other is open."""
        for portion in self._taken:
            for slot in portion.slots:
                slot.done = True
        self._taken.clear()
        deliveries = []
        while self._in_order and self._in_order[0].done:
            deliveries.append(self._in_order.popleft().delivery)
        if deliveries:
            self.session.settle(deliveries, ())

    def _read(self, message: Message) -> Incoming:
        return read(message, self._topics, self._wall.now())

    def _sort(self, delivery: Delivery) -> None:
        """Let one message flow into its car's row, or leave it aside."""
        slot = _Slot(delivery)
        self._in_order.append(slot)
        incoming = delivery.incoming
        if not isinstance(incoming, ForeignIncoming) or incoming.message.retain:
            self.statistics.retained += 1
            slot.done = True
            return
        sender, said = incoming.address.sender, incoming.said
        vehicle_id = self._registry.vehicle_id(sender)
        name = vehicle_id or self._registry.alias(sender)
        if not self._shard.has(name) or not (isinstance(said, Rejection) or said.values or said.extra or said.events):
            self.statistics.silent += 1
            slot.done = True
        elif vehicle_id is None or isinstance(said, Rejection):
            self.statistics.refused += 1
            self._ready.append(_Portion([incoming.of(name)], [slot]))
        else:
            self.statistics.merged += 1
            size = len(incoming.message.topic) + len(incoming.message.payload)
            self._keep(self._confluence.add(vehicle_id, said, incoming.received_at, slot, size))

    def _keep(self, rows: Iterator[Row[_Slot]]) -> None:
        for row in rows:
            self.statistics.rows += 1
            self._ready.append(_Portion(list(self._maker.batches(row)), row.sources))
