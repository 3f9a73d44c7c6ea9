"""What the process of one shard among several listens to: the registered vehicles of its shard, one by one.

A vehicle that is not registered is heard by nobody then; what it sends waits in its own outbox.
"""

import time
from collections.abc import Iterable
from typing import Any, Final

import psycopg

from ingest.session import WHOLE_FLEET_TOPICS, Session
from ingest.shard import Shard
from storage.vehicles import known_ids
from vehicle.topics import UPWARD, topic

REFRESH_S: Final = 30.0
"""A newly registered vehicle is heard after at most so long."""


def subscriptions(shard: Shard, vehicle_ids: Iterable[str]) -> list[tuple[str, int]]:
    """The topic filters of a shard, each with its greatest QoS; the whole fleet needs no vehicle's name."""
    if shard.whole:
        return list(WHOLE_FLEET_TOPICS)
    mine = sorted(vehicle_id for vehicle_id in vehicle_ids if shard.has(vehicle_id))
    return [(topic(vehicle_id, channel), 1) for vehicle_id in mine for channel in UPWARD]


class Roster:
    """Keeps a session's subscriptions at what the registry says."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._read_at = float("-inf")

    def due(self) -> bool:
        """Whether the registry is to be read again."""
        return not self._shard.whole and time.monotonic() - self._read_at > REFRESH_S

    def tend(self, connection: psycopg.Connection[Any], session: Session) -> None:
        """Read the registry and let the session follow it."""
        session.follow(subscriptions(self._shard, known_ids(connection)))
        self._read_at = time.monotonic()
