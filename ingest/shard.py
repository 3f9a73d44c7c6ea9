"""Which part of the fleet a process stores, and the proof that it is the only one that does.

Errors: `ShardHeldError` if another process has the shard.
"""

import os
import socket
import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg

_LOCK: Final = 0x76736369
"""A number of our own: the first half of every shard's advisory lock; the second is the shard."""
_PATIENCE_S: Final = 3.0
"""The server notices within this time that the process of a killed holder is gone."""
_LONGEST_NAME: Final = 63
"""PostgreSQL cuts an application's name there."""


class ShardHeldError(Exception):
    """Another process stores this shard; the message names it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of the fleet."""

    index: int = 0
    count: int = 1

    @property
    def client_id(self) -> str:
        """The MQTT client id, which finds the session again after a restart."""
        return f"vsc-ingest-{self.index}-of-{self.count}"

    @property
    def application(self) -> str:
        """What the process is called at the database."""
        process = f"process {os.getpid()} on {socket.gethostname()}"
        return f"vsc ingest {self.index}/{self.count}, {process}"[:_LONGEST_NAME]


WHOLE_FLEET: Final = Shard(0, 1)


def hold(connection: psycopg.Connection[Any], shard: Shard) -> None:
    """Hold the shard until the connection ends.

    Raises:
        ShardHeldError: if another process has it and keeps it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not _try_lock(connection, shard):
        if time.monotonic() > deadline:
            raise ShardHeldError(
                f"shard {shard.index}/{shard.count} is stored by another process: {_holder(connection, shard)}"
            )
        time.sleep(0.1)


def _try_lock(connection: psycopg.Connection[Any], shard: Shard) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, shard.index]).fetchone()
    return row == (True,)


def _holder(connection: psycopg.Connection[Any], shard: Shard) -> str:
    row = connection.execute(
        "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "
        "AND classid = %s AND objid = %s AND objsubid = 2 AND granted",
        [_LOCK, shard.index],
    ).fetchone()
    return "one that has just ended" if row is None else str(row[0])
