"""Keeps a soak's table small, as retention would: counts old chunks, then drops them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from psycopg import sql

from benchmarks.audit import Audit, Sent
from storage.connection import connect

CHUNK: Final = timedelta(minutes=5)
"""Of the run's time, that a chunk holds."""
_KEPT_CHUNKS: Final = 2
_TIMEOUT: Final = timedelta(minutes=10)


class Retention:
    """The chunks of a soak's table; where there is no TimescaleDB, nothing is ever dropped."""

    def __init__(self, database_url: str, start: datetime, speed: timedelta) -> None:
        """Set the length of chunks.

        Args:
            database_url: Of an empty database.
            start: Time of the first sample.
            speed: Event time that passes in a second of the run.
        """
        self._database_url = database_url
        self._interval = speed * CHUNK.total_seconds()
        self._dropped_to = start
        self.dropped_rows = 0
        with connect(database_url, autocommit=True) as connection:
            found = connection.execute("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
            self._chunked = found == (1,)
            if self._chunked:
                connection.execute("SELECT set_chunk_time_interval('telemetry', %s)", [self._interval])

    def database_bytes(self) -> int:
        """What the database takes on disk."""
        with connect(self._database_url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def drop_old(self) -> None:
        """Count and drop the chunks before the latest ones; all their samples must be stored, as acks have told."""
        if not self._chunked:
            return
        with connect(self._database_url, autocommit=True, statement_timeout=_TIMEOUT) as connection:
            connection.execute("SET max_parallel_workers_per_gather = 0")
            chunks = connection.execute(
                "SELECT chunk_schema, chunk_name, range_end FROM timescaledb_information.chunks "
                "WHERE hypertable_name = 'telemetry' ORDER BY range_end"
            ).fetchall()
            for schema, name, range_end in chunks[:-_KEPT_CHUNKS]:
                counted = connection.execute(
                    sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
                ).fetchone()
                self.dropped_rows += counted[0] if counted else 0
                connection.execute("SELECT drop_chunks('telemetry', older_than => %s::timestamptz)", [range_end])
                self._dropped_to = range_end

    def left_of(self, sent: Sequence[Sent]) -> list[Sent]:
        """What of all that was sent must still be in the table."""
        return [replace(car, gone_before=self._gone(car)) for car in sent]

    def add_to(self, found: Audit, sent: Sequence[Sent]) -> Audit:
        """An audit of what is left, with what the dropped chunks lacked or had too many."""
        due = sum(self._gone(car) for car in sent)
        return replace(
            found,
            lost=found.lost + max(due - self.dropped_rows, 0),
            duplicated=found.duplicated + max(self.dropped_rows - due, 0),
        )

    def _gone(self, car: Sent) -> int:
        """Rows of a car that lay in dropped chunks."""
        if self._dropped_to <= car.first_at:
            return 0
        return min(car.rows, -(-(self._dropped_to - car.first_at) // car.step))
