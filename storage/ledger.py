"""The batch ledger: which batches are safe, and therefore which are new.

A batch is entered in the transaction that stores its rows, so its entry is the proof that they are there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import args_row

from storage import binary_copy, boot_progress
from storage.rows import record_row, transposed
from vehicle.batch import StoredAck


class BatchKind(StrEnum):
    """What became of a batch."""

    TELEMETRY = "telemetry"
    EVENT = "event"
    QUARANTINE = "quarantine"
    """Kept with its bytes instead of as rows."""
    DROPPED = "dropped"
    """Given up by the car, which said so."""


class BatchKey(NamedTuple):
    """The name of a batch, the same at every attempt to send it."""

    vehicle_id: str
    boot: str
    seq: int


class LedgerEntry(NamedTuple):
    """One batch that is safe."""

    key: BatchKey
    kind: BatchKind
    received_at: datetime
    sha256: bytes | None = None
    """Of the payload; None for what never arrived."""
    rows: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    """Event times of the first and the last sample."""
    sent_at: datetime | None = None
    time_received: bool = False
    """The sender gave no time: `sent_at` is when it arrived."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is stored of one vehicle, as one sees it who has taken note of it up to some entry."""

    through: int
    """The number of the latest entry: entries are numbered in the order in which they were stored."""
    last_contact_at: datetime
    """When the vehicle sent the latest of it, by its own clock."""
    first_at: datetime
    """Event time of the first sample of all."""
    first_new_at: datetime | None
    """The same of the entries not yet taken note of, events included; None: there are none."""


class Entered(NamedTuple):
    """An entry as one sees it who follows what arrives."""

    number: int
    """In the order of storing; of several writers a lower one can appear after a higher."""
    vehicle_id: str
    first_at: datetime | None
    """Event time of its first sample or event; None: nothing of it was stored as such."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How much is stored."""

    batches: int
    """Of telemetry and events."""
    samples: int
    """Rows of telemetry."""


def known(connection: psycopg.Connection[Any], keys: Collection[BatchKey]) -> dict[BatchKey, bytes | None]:
    """Of many batches those that are safe, with their payload's SHA-256."""
    rows = connection.execute(
        "SELECT vehicle_id, boot, seq, sha256 FROM batch_ledger "
        "JOIN unnest(%s::text[], %s::text[], %s::bigint[]) AS asked (vehicle_id, boot, seq) "
        "USING (vehicle_id, boot, seq)",
        transposed(keys, 3),
    )
    return {BatchKey(vehicle_id, boot, seq): sha256 for vehicle_id, boot, seq, sha256 in rows}


def record(connection: psycopg.Connection[Any], entries: Sequence[LedgerEntry]) -> None:
    """Enter batches that are new; the same order of keys in every transaction keeps writers from deadlock.

    Raises:
        psycopg.errors.UniqueViolation: if one is entered already; the transaction is lost then.
    """
    with connection.cursor().copy(
        "COPY batch_ledger (vehicle_id, boot, seq, kind, sha256, rows, first_at, last_at, sent_at, received_at, "
        "time_received) FROM STDIN (FORMAT binary)"
    ) as copy:
        copy.write(binary_copy.HEADER)
        copy.write(b"".join(map(_binary_row, sorted(entries, key=lambda entry: entry.key))))
        copy.write(binary_copy.TRAILER)


def _binary_row(entry: LedgerEntry) -> bytes:
    vehicle_id, boot, seq = entry.key
    return b"".join(
        (
            binary_copy.fields(11),
            binary_copy.text(vehicle_id),
            binary_copy.text(boot),
            binary_copy.bigint(seq),
            binary_copy.text(entry.kind),
            binary_copy.octets(entry.sha256),
            binary_copy.integer(entry.rows),
            binary_copy.timestamptz(entry.first_at),
            binary_copy.timestamptz(entry.last_at),
            binary_copy.timestamptz(entry.sent_at),
            binary_copy.timestamptz(entry.received_at),
            binary_copy.true_or_null(entry.time_received),
        )
    )


def record_dropped(
    connection: psycopg.Connection[Any], vehicle_id: str, boot: str, seqs: range, received_at: datetime
) -> int:
    """Enter batches that the car has given up, so that nobody waits for them; what is stored stays so.

    Returns how many that were; the caller bounds `seqs`, which is as long as the car says.
    """
    return connection.execute(
        "INSERT INTO batch_ledger (vehicle_id, boot, seq, kind, received_at) "
        "SELECT %s, %s, seq, 'dropped', %s FROM generate_series(%s::bigint, %s::bigint) AS seq "
        "ON CONFLICT DO NOTHING",
        [vehicle_id, boot, received_at, seqs.start, seqs.stop - 1],
    ).rowcount


def retract_dropped(connection: psycopg.Connection[Any], keys: Collection[BatchKey]) -> None:
    """Forget that batches were given up: they have arrived after all."""
    connection.execute(
        "DELETE FROM batch_ledger WHERE kind = 'dropped' AND (vehicle_id, boot, seq) IN "
        "(SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[]))",
        transposed(keys, 3),
    )
    boot_progress.lower(connection, keys)


def stored_ranges(connection: psycopg.Connection[Any], vehicle_id: str, boot: str) -> StoredAck:
    """What of one boot is safe: the highest sequence number, and the closed ranges missing below it.

    Read from where `storage.boot_progress` says that nothing is missing before.
    """
    rows = connection.execute(
        "WITH start AS (SELECT coalesce(max(through), 0) AS start_seq FROM boot_progress AS noted "
        "  WHERE vehicle_id = %(vehicle_id)s AND boot = %(boot)s AND EXISTS ("
        "    SELECT FROM batch_ledger WHERE vehicle_id = %(vehicle_id)s AND boot = %(boot)s AND seq = noted.through)) "
        "SELECT previous + 1, seq - 1, top FROM ("
        "  SELECT seq, lag(seq, 1, greatest(start_seq - 1, 0)) OVER (ORDER BY seq) AS previous, max(seq) OVER () AS top"
        "  FROM start CROSS JOIN LATERAL (SELECT seq FROM batch_ledger "
        "    WHERE vehicle_id = %(vehicle_id)s AND boot = %(boot)s AND seq >= start_seq) AS rest"
        ") AS entered WHERE seq > previous + 1 OR seq = top ORDER BY seq",
        {"vehicle_id": vehicle_id, "boot": boot},
    ).fetchall()
    missing = tuple((first, last) for first, last, _top in rows if first <= last)
    return StoredAck(boot, rows[-1][2] if rows else 0, missing)


def last_contact(connection: psycopg.Connection[Any], *, by_sender: bool = False) -> dict[str, datetime]:
    """When each known vehicle sent the latest of what is stored, by its own clock; `by_sender`: of those that told."""
    return dict(
        connection.execute(
            "SELECT vehicle_id, sent_at FROM vehicles CROSS JOIN LATERAL ("
            "  SELECT max(sent_at) AS sent_at FROM batch_ledger AS entered"
            "  WHERE entered.vehicle_id = vehicles.vehicle_id AND kind IN ('telemetry', 'event')"
            "  AND (time_received IS NULL OR NOT %s)"
            ") AS latest WHERE sent_at IS NOT NULL",
            [by_sender],
        ).fetchall()
    )


def arrivals(connection: psycopg.Connection[Any], vehicle_id: str, after: int) -> Arrivals | None:
    """What has arrived from a vehicle, and what of it since entry `after`; None: no sample yet."""
    with connection.cursor(row_factory=record_row(Arrivals)) as cursor:
        return cursor.execute(
            "SELECT * FROM (SELECT max(ingest_id) AS through, max(sent_at) AS last_contact_at, "
            "min(first_at) FILTER (WHERE kind = 'telemetry') AS first_at, "
            "min(first_at) FILTER (WHERE ingest_id > %s) AS first_new_at "
            "FROM batch_ledger WHERE vehicle_id = %s AND kind IN ('telemetry', 'event')) AS seen "
            "WHERE first_at IS NOT NULL",
            [after, vehicle_id],
        ).fetchone()


def entered(connection: psycopg.Connection[Any], after: int, missing: Collection[int] = ()) -> list[Entered]:
    """The entries with a number above `after`, and those of the missing ones that are there by now."""
    with connection.cursor(row_factory=args_row(Entered)) as cursor:
        return cursor.execute(
            "SELECT ingest_id, vehicle_id, first_at FROM batch_ledger WHERE ingest_id > %s OR ingest_id = ANY(%s)",
            [after, list(missing)],
        ).fetchall()


def latest_numbers(connection: psycopg.Connection[Any], count: int) -> list[int]:
    """The highest so many numbers of entries, the highest first."""
    rows = connection.execute("SELECT ingest_id FROM batch_ledger ORDER BY ingest_id DESC LIMIT %s", [count])
    return [number for (number,) in rows]


def totals(connection: psycopg.Connection[Any]) -> Totals:
    """How much of the fleet is stored."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(rows) FILTER (WHERE kind = 'telemetry'), 0)::bigint "
        "FROM batch_ledger WHERE kind IN ('telemetry', 'event')"
    ).fetchone()
    return Totals(*row) if row else Totals(0, 0)
