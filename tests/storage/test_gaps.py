from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import ledger
from storage.gaps import Gap, silent_spans
from storage.ledger import BatchKey, BatchKind, LedgerEntry

pytestmark = pytest.mark.integration
START = datetime(2026, 9, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def store(
    connection: psycopg.Connection[Any], *spans: tuple[float, float], kind: BatchKind = BatchKind.TELEMETRY
) -> None:
    """Batches in the order of their numbers, each with the hours of its first and last sample."""
    entries = [
        LedgerEntry(BatchKey("a", kind, seq), kind, START, first_at=at(first), last_at=at(last))
        for seq, (first, last) in enumerate(spans, start=1)
    ]
    ledger.record(connection, entries)


def test_gaps_are_told_the_longest_first(connection: psycopg.Connection[Any]) -> None:
    store(connection, (0, 1), (1.1, 2), (10, 11), (40, 41))
    gaps = silent_spans(connection, "a", START, timedelta(hours=6))
    assert gaps == [Gap(at(11), at(40)), Gap(at(2), at(10))]
    assert gaps[0].length == timedelta(hours=29)
    assert silent_spans(connection, "a", at(20), timedelta(hours=6)) == [Gap(at(11), at(40))]
    assert silent_spans(connection, "b", START, timedelta(hours=6)) == []


def test_a_late_batch_closes_the_gap_it_belongs_to(connection: psycopg.Connection[Any]) -> None:
    store(connection, (0, 1), (20, 21), (1, 20))
    assert silent_spans(connection, "a", START, timedelta(hours=6)) == []


def test_a_batch_within_another_makes_no_gap(connection: psycopg.Connection[Any]) -> None:
    store(connection, (0, 10), (1, 2), (10.5, 11))
    assert silent_spans(connection, "a", START, timedelta(hours=6)) == []


def test_what_holds_no_samples_closes_no_gap(connection: psycopg.Connection[Any]) -> None:
    store(connection, (0, 1), (20, 21))
    store(connection, (1, 20), kind=BatchKind.QUARANTINE)
    assert len(silent_spans(connection, "a", START, timedelta(hours=6))) == 1
