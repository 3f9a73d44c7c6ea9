"""Which MQTT sessions the broker should be keeping for ingest, so that one that it has lost is seen to be lost."""

from datetime import datetime
from typing import Any

import psycopg


def heard(connection: psycopg.Connection[Any], client_id: str, shards: int) -> datetime | None:
    """Note that a session lives just now; when that was noted before, None if never."""
    row = connection.execute(
        "WITH before AS (SELECT heard_at FROM ingest_sessions WHERE client_id = %(client_id)s FOR UPDATE), "
        "noted AS (INSERT INTO ingest_sessions VALUES (%(client_id)s, %(shards)s, now()) "
        "ON CONFLICT (client_id) DO UPDATE SET shards = excluded.shards, heard_at = excluded.heard_at) "
        "SELECT heard_at FROM before",
        {"client_id": client_id, "shards": shards},
    ).fetchone()
    return None if row is None else row[0]


def of_other_layouts(connection: psycopg.Connection[Any], shards: int) -> list[str]:
    """Client ids that ingest used when the fleet was divided in another number of shards."""
    rows = connection.execute("SELECT client_id FROM ingest_sessions WHERE shards != %s ORDER BY client_id", [shards])
    return [client_id for (client_id,) in rows]


def forget(connection: psycopg.Connection[Any], client_id: str) -> None:
    """Note that a session has been ended on purpose."""
    connection.execute("DELETE FROM ingest_sessions WHERE client_id = %s", [client_id])
