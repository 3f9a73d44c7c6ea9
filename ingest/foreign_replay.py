"""Messages of foreign cars that are in quarantine, read once more: after a fix, or once the car is registered.

Their senders number nothing, so each becomes a batch of its own, with what it told at the time of its arrival. The
same bytes that were refused several times stand in quarantine once, and are stored once.
"""

from datetime import datetime
from typing import Any

import numpy as np
import psycopg

from agent.connection import Message
from ingest.confluence import Row
from ingest.foreign_incoming import BatchMaker, read
from ingest.incoming import Incoming
from storage.vehicles import foreign_names, pseudonym_secret
from vehicle.foreign_address import ForeignTopics, alias
from vehicle.rejection import Rejection


class ForeignReader:
    """Reads messages as quarantine keeps them, with the registry of this moment."""

    def __init__(self, connection: psycopg.Connection[Any], topics: ForeignTopics, rng: np.random.Generator) -> None:
        secret = pseudonym_secret(connection)
        self._topics = topics
        self._registered = {
            alias(sender, secret): vehicle_id for sender, vehicle_id in foreign_names(connection).items()
        }
        self._maker = BatchMaker(rng)

    def reads(self, topic: str) -> bool:
        """Whether it is a foreign car's topic."""
        return self._topics.address(topic) is not None

    def read(self, message: Message, received_at: datetime) -> Incoming:
        """What a message told, as a batch of its car; where there is nothing to store, a rejection."""
        incoming = read(message, self._topics, received_at)
        # What stands for the name is an alias, or the id of a vehicle that was known already; it is one level long.
        name = incoming.address.name.rpartition("/")[2]
        vehicle_id = self._registered.get(name, name)
        incoming.vehicle_id = vehicle_id
        if isinstance(incoming.said, Rejection):
            return incoming
        row: Row[None] = Row(vehicle_id, received_at)
        row.add(incoming.said, None, 0)
        for batch in self._maker.batches(row):
            return Incoming(message, batch.sha256, vehicle_id, batch.key, batch.content)
        return incoming
