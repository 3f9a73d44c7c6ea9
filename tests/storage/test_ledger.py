"""The ledger knows what is safe, and tells it as ranges."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import boot_progress, ledger, vehicles
from storage.ledger import BatchKey, BatchKind, LedgerEntry, Totals
from vehicle.batch import StoredAck
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
boots = count()


def entry(seq: int, boot: str = "boot", kind: BatchKind = BatchKind.TELEMETRY, **rest: Any) -> LedgerEntry:
    return LedgerEntry(BatchKey("car", boot, seq), kind, NOW, bytes(32), **rest)


def as_ranges(stored: set[int]) -> tuple[tuple[int, int], ...]:
    """What is missing below the highest, one number at a time."""
    missing: list[tuple[int, int]] = []
    for seq in range(1, max(stored, default=0)):
        if seq in stored:
            continue
        if missing and missing[-1][1] == seq - 1:
            missing[-1] = (missing[-1][0], seq)
        else:
            missing.append((seq, seq))
    return tuple(missing)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 60)))
def test_ranges_are_those_of_a_plain_count(connection: psycopg.Connection[Any], stored: set[int]) -> None:
    boot = f"boot{next(boots)}"
    ledger.record(connection, [entry(seq, boot) for seq in stored])
    ack = ledger.stored_ranges(connection, "car", boot)
    assert ack == StoredAck(boot, max(stored, default=0), as_ranges(stored))
    assert {seq for seq in range(1, 62) if ack.covers(seq)} == stored


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 60)), st.data())
def test_what_was_noted_of_a_boot_changes_no_range(
    connection: psycopg.Connection[Any], stored: set[int], data: st.DataObject
) -> None:
    boot = f"noted{next(boots)}"
    contiguous = next(seq for seq in range(1, 62) if seq not in stored) - 1
    ledger.record(connection, [entry(seq, boot) for seq in stored])
    if contiguous:
        boot_progress.note(connection, [("car", boot, data.draw(st.integers(1, contiguous)))])
    assert ledger.stored_ranges(connection, "car", boot) == StoredAck(boot, max(stored, default=0), as_ranges(stored))


def test_ranges_are_not_read_again_up_to_what_was_noted(connection: psycopg.Connection[Any]) -> None:
    ledger.record(connection, [entry(seq) for seq in (1, 2, 3, 5)])
    boot_progress.note(connection, [("car", "boot", 3)])
    connection.execute("DELETE FROM batch_ledger WHERE seq = 1")
    assert ledger.stored_ranges(connection, "car", "boot") == StoredAck("boot", 5, ((4, 4),))


def test_what_was_noted_of_a_batch_that_is_gone_is_not_believed(connection: psycopg.Connection[Any]) -> None:
    ledger.record(connection, [entry(5)])
    boot_progress.note(connection, [("car", "boot", 3)])
    assert ledger.stored_ranges(connection, "car", "boot") == StoredAck("boot", 5, ((1, 4),))


def test_what_arrives_after_all_is_waited_for_again(connection: psycopg.Connection[Any]) -> None:
    ledger.record_dropped(connection, "car", "boot", range(1, 11), NOW)
    boot_progress.note(connection, [("car", "boot", 10)])
    ledger.retract_dropped(connection, [BatchKey("car", "boot", 4)])
    assert ledger.stored_ranges(connection, "car", "boot") == StoredAck("boot", 10, ((4, 4),))
    ledger.record(connection, [entry(4)])
    assert ledger.stored_ranges(connection, "car", "boot") == StoredAck("boot", 10)


def test_ranges_hold_at_the_largest_number(connection: psycopg.Connection[Any]) -> None:
    ledger.record(connection, [entry(2**63 - 1)])
    assert ledger.stored_ranges(connection, "car", "boot") == StoredAck("boot", 2**63 - 1, ((1, 2**63 - 2),))


def test_of_many_keys_the_known_ones_come_with_their_hash(connection: psycopg.Connection[Any]) -> None:
    ledger.record(connection, [entry(1), entry(2), entry(1, "other")])
    keys = [BatchKey("car", "boot", 1), BatchKey("car", "boot", 3), BatchKey("else", "boot", 1)]
    assert ledger.known(connection, keys) == {keys[0]: bytes(32)}
    assert ledger.known(connection, []) == {}


def test_a_batch_is_entered_once(connection: psycopg.Connection[Any]) -> None:
    ledger.record(connection, [entry(1)])
    with pytest.raises(psycopg.errors.UniqueViolation):
        ledger.record(connection, [entry(2), entry(1)])


def test_what_the_car_dropped_is_safe_but_not_stored(connection: psycopg.Connection[Any]) -> None:
    ledger.record(connection, [entry(2, rows=10), entry(6, rows=10)])
    assert ledger.record_dropped(connection, "car", "boot", range(1, 5), NOW) == 3
    assert ledger.stored_ranges(connection, "car", "boot") == StoredAck("boot", 6, ((5, 5),))
    assert ledger.totals(connection) == Totals(2, 20)
    assert ledger.known(connection, [BatchKey("car", "boot", 1)]) == {BatchKey("car", "boot", 1): None}


def test_totals_and_last_contact_leave_quarantine_out(connection: psycopg.Connection[Any]) -> None:
    assert ledger.totals(connection) == Totals(0, 0)
    late = NOW + timedelta(days=1)
    ledger.record(
        connection,
        [
            entry(1, rows=50, sent_at=NOW, first_at=NOW, last_at=NOW),
            entry(2, kind=BatchKind.EVENT, rows=3, sent_at=NOW + timedelta(seconds=1)),
            entry(3, kind=BatchKind.QUARANTINE, sent_at=late),
        ],
    )
    assert ledger.totals(connection) == Totals(2, 50)
    assert ledger.last_contact(connection) == {}
    for car in ("car", "silent"):
        vehicles.register(connection, VehicleRecord(car, NOW))
    assert ledger.last_contact(connection) == {"car": NOW + timedelta(seconds=1)}


def test_a_time_of_arrival_is_a_contact_but_not_the_senders_time(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, VehicleRecord("car", NOW))
    late = NOW + timedelta(days=1)
    ledger.record(connection, [entry(1, sent_at=NOW), entry(2, sent_at=late, time_received=True)])
    assert ledger.last_contact(connection) == {"car": late}
    assert ledger.last_contact(connection, by_sender=True) == {"car": NOW}
