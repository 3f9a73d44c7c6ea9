"""Who may store just now: many side by side, or one who replaces what is stored, alone.

The detectors' cursor over the ledger rests on its numbers becoming visible in their order. A shard's only writer
sees to that by itself; who enters batches beside it must do so when none of its transactions is open.
"""

from typing import Any, Final

import psycopg

_LOCK: Final = 0x76737472
"""A number of our own: the advisory lock that all hold who store."""


def take_part(connection: psycopg.Connection[Any]) -> None:
    """Store side by side with others until this transaction ends; waits for one who is alone."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def be_alone(connection: psycopg.Connection[Any]) -> None:
    """Keep all others from storing until this transaction ends, which should be soon."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
