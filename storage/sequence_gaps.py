"""The gap ledger: which batches have been missing for long, since when, and how often their car was asked for them.

Which are missing at all is told by the batch ledger; here stands only what ingest has waited for in vain.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from storage.boot_progress import Boot
from storage.rows import record_row, transposed


@dataclass(frozen=True, slots=True)
class SequenceGap:
    """One closed range of missing sequence numbers."""

    vehicle_id: str
    boot: str
    first_seq: int
    last_seq: int
    since: datetime
    """When the batch behind it was stored."""
    asked: int = 0
    """How often the car has been asked for it."""
    asked_at: datetime | None = None
    """When it was last."""


def of_boots(connection: psycopg.Connection[Any], boots: Collection[Boot]) -> list[SequenceGap]:
    """What is entered of these boots, by vehicle, boot and seq."""
    with connection.cursor(row_factory=record_row(SequenceGap)) as cursor:
        return cursor.execute(
            "SELECT sequence_gaps.* FROM unnest(%s::text[], %s::text[]) AS asked (vehicle_id, boot) "
            "JOIN sequence_gaps USING (vehicle_id, boot) ORDER BY vehicle_id, boot, first_seq",
            transposed(boots, 2),
        ).fetchall()


def list_gaps(connection: psycopg.Connection[Any], vehicle_id: str | None = None) -> list[SequenceGap]:
    """What is entered of a vehicle, or of all, by vehicle, boot and seq."""
    with connection.cursor(row_factory=record_row(SequenceGap)) as cursor:
        return cursor.execute(
            "SELECT * FROM sequence_gaps WHERE %s::text IS NULL OR vehicle_id = %s "
            "ORDER BY vehicle_id, boot, first_seq",
            [vehicle_id, vehicle_id],
        ).fetchall()


def stored_behind(
    connection: psycopg.Connection[Any], ranges: Sequence[tuple[str, str, int]]
) -> dict[tuple[str, str, int], datetime]:
    """For (vehicle, boot, seq): when the first batch behind the seq was stored."""
    rows = connection.execute(
        "SELECT vehicle_id, boot, asked.seq, received_at "
        "FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS asked (vehicle_id, boot, seq) "
        "CROSS JOIN LATERAL (SELECT received_at FROM batch_ledger AS entered "
        "  WHERE entered.vehicle_id = asked.vehicle_id AND entered.boot = asked.boot AND entered.seq > asked.seq "
        "  ORDER BY entered.seq LIMIT 1) AS behind",
        transposed(ranges, 3),
    )
    return {(vehicle_id, boot, seq): received_at for vehicle_id, boot, seq, received_at in rows}


def replace(connection: psycopg.Connection[Any], boots: Collection[Boot], gaps: Sequence[SequenceGap]) -> None:
    """Put `gaps` in the place of all that is entered of these boots, whose vehicles the transaction must hold."""
    connection.execute(
        "DELETE FROM sequence_gaps USING unnest(%s::text[], %s::text[]) AS changed (vehicle_id, boot) "
        "WHERE sequence_gaps.vehicle_id = changed.vehicle_id AND sequence_gaps.boot = changed.boot",
        transposed(sorted(boots), 2),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO sequence_gaps VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(g.vehicle_id, g.boot, g.first_seq, g.last_seq, g.since, g.asked, g.asked_at) for g in gaps],
        )
