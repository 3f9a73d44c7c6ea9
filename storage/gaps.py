"""When vehicles were silent, told from the batches that are stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from storage.rows import record_row


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a sample: what happened in it is unknown."""

    start: datetime
    """The last sample before."""
    end: datetime
    """The first sample after."""

    @property
    def length(self) -> timedelta:
        """How long nothing is known."""
        return self.end - self.start


def silent_spans(
    connection: psycopg.Connection[Any], vehicle_id: str, since: datetime, longer_than: timedelta
) -> list[Gap]:
    """The gaps of one vehicle that ended at `since` or later, the longest first."""
    with connection.cursor(row_factory=record_row(Gap)) as cursor:
        return cursor.execute(
            'SELECT "end" - length AS start, "end" FROM ('
            '  SELECT first_at AS "end", first_at - max(last_at) OVER ('
            "    ORDER BY first_at, last_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS length"
            "  FROM batch_ledger WHERE vehicle_id = %s AND kind = 'telemetry' AND first_at IS NOT NULL"
            ') AS stored WHERE length > %s AND "end" >= %s ORDER BY length DESC, "end"',
            [vehicle_id, longer_than, since],
        ).fetchall()
