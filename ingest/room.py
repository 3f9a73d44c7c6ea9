"""Whether there is room in quarantine: its limit, and how near to it we are.

The size is counted in memory and read again now and then, because replay and `vsc vehicles forget` shrink it and
other shards fill it. Once full it counts as full until there is some room again, so that it is reported once.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg
import structlog

from config.settings import QUARANTINE_LIMIT
from ingest.incoming import Incoming
from storage import quarantine
from storage.quarantine import QuarantinedMessage, RowKey

_REFRESH_S: Final = 30.0
_FREE_AGAIN: Final = 15 / 16
"""Of the limit: below it there is room again."""

log = structlog.get_logger()


class Room:
    """The room for payloads in quarantine, as the shard's only writer sees it."""

    def __init__(self, limit: int = QUARANTINE_LIMIT) -> None:
        self._limit = limit
        self._bytes = 0
        self._read_at = float("-inf")
        self._unplaced = 0
        self.full = False
        """Whether messages are being turned away."""

    def unplaced(
        self, connection: psycopg.Connection[Any], wanted: Sequence[tuple[Incoming, QuarantinedMessage]]
    ) -> list[Incoming]:
        """Those of the messages whose bytes find no room; what is there already needs none."""
        self._look(connection)
        if not self.full and self._bytes + sum(len(row.payload) for _, row in wanted) <= self._limit:
            return []
        there = quarantine.kept(connection, {quarantine.row_key(row) for _, row in wanted})
        unplaced: list[Incoming] = []
        taken = self._bytes
        for incoming, rows in _by_message(wanted):
            fresh = rows - there
            need = len(incoming.message.payload) * len(fresh)
            if fresh and (self.full or taken + need > self._limit):
                self._turn_away()
                unplaced.append(incoming)
            else:
                taken += need
                there |= fresh
        self._unplaced += len(unplaced)
        return unplaced

    def take(self, size: int) -> None:
        """Take note that so many bytes more have been committed."""
        self._bytes += size

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        if time.monotonic() - self._read_at < _REFRESH_S:
            return
        self._bytes = quarantine.size(connection)
        self._read_at = time.monotonic()
        if self.full and self._bytes < self._limit * _FREE_AGAIN:
            log.warning("quarantine_has_room", bytes=self._bytes, limit=self._limit, turned_away=self._unplaced)
            self.full = False

    def _turn_away(self) -> None:
        if not self.full:
            self.full = True
            self._unplaced = 0
            log.error(
                "quarantine_full",
                bytes=self._bytes,
                limit=self._limit,
                consequence="what cannot be stored is left to its vehicle",
            )


def _by_message(wanted: Sequence[tuple[Incoming, QuarantinedMessage]]) -> list[tuple[Incoming, set[RowKey]]]:
    messages: dict[int, tuple[Incoming, set[RowKey]]] = {}
    for incoming, row in wanted:
        messages.setdefault(id(incoming.message), (incoming, set()))[1].add(quarantine.row_key(row))
    return list(messages.values())
