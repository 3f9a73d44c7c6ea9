"""How far the boots have come, and whom one has heard of lately."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import boot_progress, ledger, vehicles
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
LATELY = timedelta(minutes=10)


def test_what_was_noted_only_grows(connection: psycopg.Connection[Any]) -> None:
    boot_progress.note(connection, [("a", "1", 5), ("a", "2", 7)])
    boot_progress.note(connection, [("a", "1", 9), ("a", "2", 6)])
    boot_progress.note(connection, [])
    asked = [("a", "1"), ("a", "2"), ("b", "1")]
    assert boot_progress.noted(connection, asked) == {("a", "1"): 9, ("a", "2"): 7}
    assert boot_progress.noted(connection, []) == {}


def test_what_leaves_the_ledger_is_not_noted_any_more(connection: psycopg.Connection[Any]) -> None:
    boot_progress.note(connection, [("a", "1", 5), ("a", "2", 7), ("b", "1", 9)])
    boot_progress.lower(connection, [("a", "1", 5), ("a", "2", 8)])
    assert boot_progress.noted(connection, [("a", "1"), ("a", "2"), ("b", "1")]) == {("a", "2"): 7, ("b", "1"): 9}


def test_lately_is_reckoned_from_the_latest_of_all(connection: psycopg.Connection[Any]) -> None:
    assert boot_progress.heard_lately(connection, LATELY) == []
    contacts = [("a", "1", 0), ("a", "2", 55), ("b", "1", 60), ("c", "1", 49), ("stranger", "1", 90)]
    ledger.record(
        connection,
        [
            LedgerEntry(BatchKey(car, boot, 1), BatchKind.TELEMETRY, NOW, sent_at=NOW + timedelta(minutes=minute))
            for car, boot, minute in contacts
        ],
    )
    foreign = LedgerEntry(
        BatchKey("d", "1", 1), BatchKind.TELEMETRY, NOW, sent_at=NOW + timedelta(hours=2), time_received=True
    )
    ledger.record(connection, [foreign])
    for car in "abcd":
        vehicles.register(connection, VehicleRecord(car, NOW))
    assert boot_progress.heard_lately(connection, LATELY) == [("a", "2"), ("b", "1")]
    assert boot_progress.heard_lately(connection, timedelta(hours=2)) == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
        ("c", "1"),
    ]
