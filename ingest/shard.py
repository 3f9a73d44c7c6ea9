"""Which part of the fleet a process stores, and the proof that it is the only one that does.

The fleet is divided by a hash of the vehicle's id. A broker cannot filter by it, so the process of one shard among
several subscribes to the registered vehicles of its shard, one by one (`ingest.roster`).

Errors: `ShardHeldError` if another process has the shard, or the fleet is divided in another way just now.
"""

import os
import re
import socket
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

import psycopg

MOST_SHARDS: Final = 1000
_LOCK: Final = 0x76736369
"""A number of our own: the first half of every shard's advisory lock."""
_GATE: Final = 0
"""Second half of the lock under which the others are looked at and taken; no shard's."""
_LAYOUT: Final = 0x10000
"""The second half of a shard's lock is the number of shards times this, and its index."""
_PATIENCE_S: Final = 3.0
"""The server notices within this time that the process of a killed holder is gone."""
_LONGEST_NAME: Final = 63
"""PostgreSQL cuts an application's name there."""


class ShardHeldError(Exception):
    """Another process stores this shard; the message names it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of the fleet; `index` counts from 0."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``index/count``, as in ``0/4`` to ``3/4``.

        Raises:
            ValueError: if it is no such thing; the message says what is wrong.
        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text, re.ASCII)
        if found is None:
            raise ValueError(f"a shard is written I/N, as in 0/4 to 3/4, not {text!r}")
        index, count = int(found[1]), int(found[2])
        if not 1 <= count <= MOST_SHARDS:
            raise ValueError(f"there can be 1 to {MOST_SHARDS} shards, not {count}")
        if index >= count:
            raise ValueError(f"shards count from 0: of {count} the last is {count - 1}/{count}, not {index}/{count}")
        return cls(index, count)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.index}/{self.count}"

    @property
    def whole(self) -> bool:
        """Whether it is all of the fleet."""
        return self.count == 1

    @property
    def client_id(self) -> str:
        """The MQTT client id, which finds the session again after a restart."""
        return f"vsc-ingest-{self.index}-of-{self.count}"

    @property
    def application(self) -> str:
        """What the process is called at the database."""
        process = f"process {os.getpid()} on {socket.gethostname()}"
        return f"vsc ingest {self.name}, {process}"[:_LONGEST_NAME]

    def has(self, vehicle_id: str) -> bool:
        """Whether a vehicle belongs to it: the same on every machine and in every release."""
        return self.whole or int.from_bytes(sha256(vehicle_id.encode()).digest()[:8]) % self.count == self.index


WHOLE_FLEET: Final = Shard(0, 1)


def hold(connection: psycopg.Connection[Any], shard: Shard) -> None:
    """Hold the shard until the connection, which is in autocommit mode, ends.

    Raises:
        ShardHeldError: if another process has it and keeps it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while (holder := _try_hold(connection, shard)) is not None:
        held, application = holder
        if time.monotonic() > deadline:
            by = f"by another process: {application}"
            if held == shard:
                raise ShardHeldError(f"shard {shard.name} is stored {by}")
            raise ShardHeldError(
                f"shard {held.name} is stored {by}; shard {shard.name} would divide the fleet in another way"
            )
        time.sleep(0.1)


def _try_hold(connection: psycopg.Connection[Any], shard: Shard) -> tuple[Shard, str] | None:
    """Take the shard, or tell which shard stands in the way and who has it."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, _GATE])
        for key, application in _holders(connection):
            held = Shard(key % _LAYOUT, key // _LAYOUT)
            if held == shard or held.count != shard.count:
                return held, application
        connection.execute("SELECT pg_advisory_lock(%s, %s)", [_LOCK, shard.count * _LAYOUT + shard.index])
    return None


def _holders(connection: psycopg.Connection[Any]) -> list[tuple[int, str]]:
    """The second half of each lock that another process holds, and what that is called."""
    return connection.execute(
        "SELECT objid::bigint, coalesce(application_name, 'one that has just ended') "
        "FROM pg_locks LEFT JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND classid = %s AND objid != %s AND objsubid = 2 AND granted "
        "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND pid != pg_backend_pid() ORDER BY objid",
        [_LOCK, _GATE],
    ).fetchall()
