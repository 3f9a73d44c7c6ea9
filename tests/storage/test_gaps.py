from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import ledger
from storage.gaps import Gap, LostSpan, Share, lost_share, lost_spans, silent_spans
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


def enter(
    connection: psycopg.Connection[Any],
    *seqs: int,
    boot: str = "1",
    kind: BatchKind = BatchKind.TELEMETRY,
    vehicle_id: str = "a",
) -> None:
    """Batches of one hour each: number n from hour n to half past, and sent ten minutes later."""
    entries = [
        LedgerEntry(
            BatchKey(vehicle_id, boot, seq),
            kind,
            START,
            first_at=at(seq),
            last_at=at(seq + 0.5),
            sent_at=at(seq + 0.6),
        )
        for seq in seqs
    ]
    ledger.record(connection, entries)


def test_what_is_missing_lies_between_its_neighbours(connection: psycopg.Connection[Any]) -> None:
    enter(connection, 1, 2, 6, 9)
    enter(connection, 7, 8, boot="2")
    enter(connection, 3, vehicle_id="b")
    spans = [LostSpan(at(2.5), at(6), 3), LostSpan(at(6.5), at(9), 2), LostSpan(at(7), at(7), 6)]
    assert lost_spans(connection, "a", START, at(24)) == spans
    assert lost_spans(connection, "b", START, at(24)) == [LostSpan(at(3), at(3), 2)]
    assert lost_spans(connection, "c", START, at(24)) == []


@pytest.mark.parametrize(
    ("start", "end", "found"), [(0, 2.5, 0), (0, 2.6, 1), (4, 5, 1), (6, 7, 1), (6.1, 7, 0)], ids=str
)
def test_what_is_missing_is_told_of_the_times_that_it_overlaps(
    connection: psycopg.Connection[Any], start: float, end: float, found: int
) -> None:
    enter(connection, 1, 2, 6, 7)
    assert lost_spans(connection, "a", at(start), at(end)) == [LostSpan(at(2.5), at(6), 3)] * found


def test_what_a_car_gave_up_or_quarantine_keeps_is_missing(connection: psycopg.Connection[Any]) -> None:
    enter(connection, 1, 5)
    ledger.record_dropped(connection, "a", "1", range(2, 4), START)
    enter(connection, 4, kind=BatchKind.QUARANTINE)
    assert lost_spans(connection, "a", START, at(24)) == [LostSpan(at(1.5), at(5), 3)]


def test_what_has_come_is_not_missing(connection: psycopg.Connection[Any]) -> None:
    enter(connection, 1, 3)
    enter(connection, 2, kind=BatchKind.EVENT)
    assert lost_spans(connection, "a", START, at(24)) == []


def test_the_share_that_is_lost_counts_each_gap_once(connection: psycopg.Connection[Any]) -> None:
    enter(connection, 1, 2, 6, 9)
    assert lost_share(connection, "a", at(0), at(24)) == Share(lost=5, stored=4)
    assert lost_share(connection, "a", at(3), at(9)) == Share(lost=3, stored=1)
    assert lost_share(connection, "a", at(9), at(24)) == Share(lost=2, stored=1)
    assert lost_share(connection, "b", at(0), at(24)) == Share(0, 0)
