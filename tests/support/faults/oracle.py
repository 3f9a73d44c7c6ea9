"""The oracle: what a run has sent and was told, held against what the database has.

The invariants, A being the ids that were acknowledged, T those in the tables and Q those in quarantine:
    lost        ids of A in neither T nor Q: rows missing, or no ledger entry, or bytes that differ
    duplicated  rows beyond the first of an id
    both        ids in T and Q
    foreign     rows or ids that nobody sent
    altered     rows whose values are not those sent, bit for bit at the column's type
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from storage.ledger import BatchKey, BatchKind
from tests.support.faults.load import Batch
from tests.support.faults.sent import Sent, SentBatch
from tests.support.fleet_run import COMPARED, sample_rows
from vehicle.batch import EventBatch

RowKey = tuple[Any, ...]


@dataclass(slots=True)
class Judgement:
    """What the oracle has found; ids, but rows where it says so."""

    published: int = 0
    acked: int = 0
    stored: int = 0
    quarantined: int = 0
    lost: list[BatchKey] = field(default_factory=list)
    duplicated: int = 0
    """Rows."""
    both: list[BatchKey] = field(default_factory=list)
    foreign: list[RowKey] = field(default_factory=list)
    altered: list[RowKey] = field(default_factory=list)
    """Rows."""
    unnamed_missing: int = 0
    """Bad payloads without an id that are not in quarantine."""

    def problems(self) -> list[str]:
        """What is wrong, one sentence each; empty: the promise was kept."""
        found: dict[str, Sequence[object]] = {
            "lost": self.lost,
            "in the tables and in quarantine": self.both,
            "never sent": self.foreign,
            "altered": self.altered,
        }
        sentences = [f"{len(those)} {what}, e.g. {those[:3]}" for what, those in found.items() if those]
        if self.duplicated:
            sentences.append(f"{self.duplicated} rows stored twice")
        if self.unnamed_missing:
            sentences.append(f"{self.unnamed_missing} bad payloads are not in quarantine")
        return sentences


@dataclass(slots=True)
class _Stored:
    """The database's contents, read once; rows as text, so that -0.0 is not taken for 0.0."""

    ledger: dict[BatchKey, tuple[str, bytes | None]]
    rows: dict[RowKey, list[str]]
    quarantined: Counter[bytes]


def judge(database_url: str, sent: Sent, acked: Collection[BatchKey]) -> Judgement:
    """Hold what was sent and acknowledged against what is stored; acknowledged ids must be a part of the sent."""
    stored = _read(database_url)
    result = Judgement(published=len(sent.batches) + len(sent.unnamed), acked=len(acked))
    expected: set[RowKey] = set()
    for key, batch in sent.batches.items():
        rows = {} if batch.stored is None else rows_of(batch.stored)
        expected.update(rows)
        safe = _judge_batch(result, stored, key, batch, rows)
        if not safe and key in acked:
            result.lost.append(key)
    result.duplicated = sum(len(copies) - 1 for copies in stored.rows.values())
    result.foreign += [key for key in stored.rows if key not in expected]
    result.foreign += [
        key for key, (kind, _) in stored.ledger.items() if key not in sent.batches and kind != BatchKind.DROPPED
    ]
    result.foreign += [key for key in acked if key not in sent.batches]
    for payload in sent.unnamed:
        result.unnamed_missing += hashlib.sha256(payload).digest() not in stored.quarantined
    result.quarantined += len(sent.unnamed) - result.unnamed_missing
    return result


def _judge_batch(result: Judgement, stored: _Stored, key: BatchKey, batch: SentBatch, rows: dict[RowKey, str]) -> bool:
    """Count one id; whether all that must be kept of it is."""
    kind, sha256 = stored.ledger.get(key, ("", None))
    in_quarantine = batch.sha256 in stored.quarantined
    there = {row_key: stored.rows[row_key] for row_key in rows if row_key in stored.rows}
    result.altered += [row_key for row_key, copies in there.items() if {rows[row_key]} != set(copies)]
    if kind == BatchKind.QUARANTINE:
        result.quarantined += in_quarantine
        result.both += [key] if there else []
        return in_quarantine and sha256 == batch.sha256
    whole = bool(kind) and kind != BatchKind.DROPPED and len(there) == len(rows) and sha256 == batch.sha256
    result.stored += whole
    if batch.wholly:
        result.both += [key] if whole and in_quarantine else []
        return whole
    return whole and in_quarantine


def rows_of(batch: Batch) -> dict[RowKey, str]:
    """Every row that a batch must become, by its key."""
    if isinstance(batch, EventBatch):
        return {
            (batch.vehicle_id, batch.boot, batch.seq, i): repr(
                (
                    event.at,
                    str(event.kind),
                    event.trouble_code and event.trouble_code.code,
                    event.trouble_code and int(event.trouble_code.status),
                    event.details,
                )
            )
            for i, event in enumerate(batch.events)
        }
    return {row[:2]: repr(row[2:]) for row in sample_rows(batch)}


def _read(database_url: str) -> _Stored:
    with psycopg.connect(database_url) as connection, connection.cursor(binary=True) as cursor:
        ledger = {
            BatchKey(*row[:3]): (row[3], row[4])
            for row in cursor.execute("SELECT vehicle_id, boot, seq, kind, sha256 FROM batch_ledger")
        }
        columns = ", ".join(COMPARED)
        query = f"SELECT vehicle_id, time, {columns} FROM telemetry"  # noqa: S608 - our own names
        rows = _by_key(cursor.execute(query), 2)
        rows |= _by_key(
            cursor.execute("SELECT vehicle_id, boot, seq, i, at, kind, code, status, details FROM events"), 4
        )
        # The database's own hash of the bytes: the column beside them could lie.
        quarantined: Counter[bytes] = Counter(
            dict(cursor.execute("SELECT sha256(payload), sum(count)::bigint FROM quarantine GROUP BY 1").fetchall())
        )
    return _Stored(ledger, rows, quarantined)


def _by_key(rows: Iterable[tuple[Any, ...]], width: int) -> dict[RowKey, list[str]]:
    found: dict[RowKey, list[str]] = {}
    for row in rows:
        found.setdefault(row[:width], []).append(repr(row[width:]))
    return found
