"""What is stored under a batch's key, and taking it out so that the batch can be stored anew."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from numpy.typing import NDArray

from storage.ledger import BatchKey, BatchKind
from storage.rows import transposed
from vehicle.moment import moment


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What the ledger says of a batch."""

    key: BatchKey
    kind: BatchKind
    sha256: bytes | None
    rows: int
    received_at: datetime
    time_received: bool
    """Whether its sender gave no times."""


def stored(connection: psycopg.Connection[Any], keys: Collection[BatchKey]) -> dict[BatchKey, StoredBatch]:
    """Of some batches those that are in the ledger."""
    rows = connection.execute(
        "SELECT vehicle_id, boot, seq, kind, sha256, rows, received_at, "
        "coalesce(time_received, false) FROM batch_ledger "
        "JOIN unnest(%s::text[], %s::text[], %s::bigint[]) AS asked (vehicle_id, boot, seq) "
        "USING (vehicle_id, boot, seq)",
        transposed(keys, 3),
    )
    batches = (StoredBatch(BatchKey(*row[:3]), BatchKind(row[3]), *row[4:]) for row in rows)
    return {batch.key: batch for batch in batches}


def is_distinct(connection: psycopg.Connection[Any], batch: StoredBatch, times: NDArray[Any]) -> bool:
    """Whether the samples at these times (datetime64) that arrived with the batch are none but its own."""
    row = connection.execute(f"SELECT count(*) FROM telemetry WHERE {_ITS_OWN}", _its_own(batch, times)).fetchone()  # noqa: S608 - our own text
    return row is not None and row[0] <= batch.rows


def withdraw(connection: psycopg.Connection[Any], batch: StoredBatch, times: NDArray[Any] | None = None) -> None:
    """Delete a batch from the ledger and from the tables: its events, and its samples at `times` (datetime64)."""
    connection.execute("DELETE FROM batch_ledger WHERE (vehicle_id, boot, seq) = (%s, %s, %s)", batch.key)
    if batch.kind is BatchKind.EVENT:
        connection.execute("DELETE FROM events WHERE (vehicle_id, boot, seq) = (%s, %s, %s)", batch.key)
    if batch.kind is BatchKind.TELEMETRY and times is not None:
        connection.execute(f"DELETE FROM telemetry WHERE {_ITS_OWN}", _its_own(batch, times))  # noqa: S608 - our own text


_ITS_OWN = "vehicle_id = %s AND received_at = %s AND time BETWEEN %s AND %s AND time = ANY(%s)"


def _its_own(batch: StoredBatch, times: NDArray[Any]) -> list[Any]:
    at = sorted(moment(time) for time in times)
    return [batch.key.vehicle_id, batch.received_at, at[0], at[-1], at]
