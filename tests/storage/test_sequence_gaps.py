"""The gap ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import ledger, sequence_gaps
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from storage.sequence_gaps import SequenceGap

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
GAPS = [SequenceGap("a", "1", 2, 4, NOW, 3, NOW), SequenceGap("a", "1", 9, 9, NOW), SequenceGap("b", "1", 1, 5, NOW)]


def test_gaps_are_replaced_boot_by_boot(connection: psycopg.Connection[Any]) -> None:
    sequence_gaps.replace(connection, [("a", "1"), ("b", "1")], GAPS)
    assert sequence_gaps.list_gaps(connection) == GAPS
    smaller = SequenceGap("a", "1", 3, 4, NOW, 3, NOW)
    sequence_gaps.replace(connection, [("a", "1")], [smaller])
    assert sequence_gaps.list_gaps(connection) == [smaller, GAPS[2]]
    assert sequence_gaps.list_gaps(connection, "b") == [GAPS[2]]
    sequence_gaps.replace(connection, [("a", "1"), ("b", "1"), ("c", "1")], [])
    assert sequence_gaps.list_gaps(connection) == []


def test_gaps_are_found_by_boot(connection: psycopg.Connection[Any]) -> None:
    sequence_gaps.replace(connection, [("a", "1"), ("b", "1")], GAPS)
    assert sequence_gaps.of_boots(connection, [("b", "1"), ("b", "2"), ("c", "1")]) == [GAPS[2]]
    assert sequence_gaps.of_boots(connection, []) == []


def test_a_gap_begins_when_the_batch_behind_it_was_stored(connection: psycopg.Connection[Any]) -> None:
    stored = [(1, 0), (5, 1), (6, 2)]
    ledger.record(
        connection,
        [
            LedgerEntry(BatchKey("a", "1", seq), BatchKind.TELEMETRY, NOW + timedelta(minutes=minute))
            for seq, minute in stored
        ],
    )
    asked = [("a", "1", 4), ("a", "1", 6), ("a", "2", 4)]
    assert sequence_gaps.stored_behind(connection, asked) == {("a", "1", 4): NOW + timedelta(minutes=1)}
