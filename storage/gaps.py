"""When vehicles were silent and what of theirs is missing, told from the batches that are stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from storage.rows import record_row

SILENCE: Final = timedelta(hours=6)
"""A shorter one is a parked car's, and nobody need know of it."""


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


@dataclass(frozen=True, slots=True)
class LostSpan:
    """A time of which batches are missing: they never came, were given up by the car, or cannot be read."""

    start: datetime
    """The last sample of the batch before them; that of the batch behind them where there is none before."""
    end: datetime
    """The first sample of the batch behind them."""
    batches: int


@dataclass(frozen=True, slots=True)
class Share:
    """How much of what a car sent has come."""

    lost: int
    """Batches."""
    stored: int


def lost_spans(connection: psycopg.Connection[Any], vehicle_id: str, start: datetime, end: datetime) -> list[LostSpan]:
    """What is missing of one vehicle between two times, or across them, the earliest first."""
    with connection.cursor(row_factory=record_row(LostSpan)) as cursor:
        return cursor.execute(_LOST, {"vehicle_id": vehicle_id, "start": start, "end": end}).fetchall()


def lost_share(connection: psycopg.Connection[Any], vehicle_id: str, start: datetime, end: datetime) -> Share:
    """The batches sent in [start, end), and those missing before them."""
    row = connection.execute(
        "SELECT count(*) FROM batch_ledger WHERE vehicle_id = %s AND kind IN ('telemetry', 'event') "
        "AND time_received IS NULL AND sent_at >= %s AND sent_at < %s",
        [vehicle_id, start, end],
    ).fetchone()
    lost = sum(span.batches for span in lost_spans(connection, vehicle_id, start, end) if start <= span.end < end)
    return Share(lost, row[0] if row else 0)


_LOST: Final = """
WITH stored AS (
    SELECT boot, seq, coalesce(first_at, sent_at) AS began, lag(seq) OVER boots AS previous,
        lag(coalesce(last_at, sent_at)) OVER boots AS ended
    FROM batch_ledger
    WHERE vehicle_id = %(vehicle_id)s AND kind IN ('telemetry', 'event') AND time_received IS NULL
        AND sent_at >= %(start)s
    WINDOW boots AS (PARTITION BY boot ORDER BY seq)
), spans AS (
    SELECT least(coalesce(stored.ended, before.ended, began), began) AS start, began AS "end",
        stored.seq - 1 - coalesce(stored.previous, before.seq, 0) AS batches
    FROM stored LEFT JOIN LATERAL (
        SELECT seq, coalesce(last_at, sent_at) AS ended FROM batch_ledger AS entered
        WHERE vehicle_id = %(vehicle_id)s AND entered.boot = stored.boot AND entered.seq < stored.seq
            AND kind IN ('telemetry', 'event')
        ORDER BY seq DESC LIMIT 1
    ) AS before ON stored.previous IS NULL
)
SELECT * FROM spans WHERE batches > 0 AND start < %(end)s AND "end" >= %(start)s ORDER BY start, "end"
"""
"""A batch is sent after its samples, so none that was sent before the start has any behind it."""
