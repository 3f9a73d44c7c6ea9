"""The gap ledger as ingest keeps it, with a clock that the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.clock import DataClock
from ingest.gaps import NOTED_EVERY, Gaps
from ingest.missing import GapLimits
from ingest.shard import WHOLE_FLEET, Shard
from storage import boot_progress, ledger, sequence_gaps, vehicles
from storage.connection import connect
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from storage.sequence_gaps import SequenceGap
from vehicle.command import SendAgain
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
BOOT = "00000000000000aa"
LIMITS = GapLimits(timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=10))


class Ingest:
    """Stores batches as the writer does, and looks after the gaps."""

    def __init__(self, connection: psycopg.Connection[Any], folder: Path, shard: Shard = WHOLE_FLEET) -> None:
        self.connection = connection
        self.at = 1000.0
        self._folder = folder
        self._shard = shard
        self.restart()

    def restart(self) -> None:
        clock = DataClock(self._folder / "clock")
        clock.advance(NOW)
        self.gaps = Gaps(self._shard, clock, LIMITS, lambda: self.at)

    def store(self, *seqs: int, vehicle_id: str = "car", boot: str = BOOT) -> None:
        present = NOW + timedelta(seconds=self.at - 1000)
        entries = [
            LedgerEntry(BatchKey(vehicle_id, boot, seq), BatchKind.TELEMETRY, present, sent_at=present) for seq in seqs
        ]
        ledger.record(self.connection, entries)
        self.gaps.note([(vehicle_id, ledger.stored_ranges(self.connection, vehicle_id, boot))])

    def after(self, seconds: float) -> list[tuple[str, SendAgain]]:
        self.at += seconds
        return self.gaps.tend(self.connection) if self.gaps.due() else []

    def entered(self) -> list[tuple[int, int, int]]:
        return [(gap.first_seq, gap.last_seq, gap.asked) for gap in sequence_gaps.list_gaps(self.connection)]


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Iterator[Ingest]:
    with connect(database_url, autocommit=True) as connection:
        for car in ("car", "other"):
            vehicles.register(connection, VehicleRecord(car, NOW))
        yield Ingest(connection, tmp_path)


def test_what_is_only_late_is_neither_entered_nor_asked_for(ingest: Ingest) -> None:
    ingest.store(1, 4)
    assert ingest.after(6) == []
    assert ingest.after(20) == []
    ingest.store(2, 3)
    assert ingest.after(20) == []
    assert ingest.entered() == []


def test_what_stays_missing_is_entered_and_asked_for_with_growing_pauses(ingest: Ingest) -> None:
    ingest.store(1, 4, 9)
    ingest.after(6)
    asked = [("car", SendAgain(BOOT, ((2, 3), (5, 8))))]
    assert ingest.after(31) == asked
    (first, second) = sequence_gaps.list_gaps(ingest.connection, "car")
    assert first == SequenceGap("car", BOOT, 2, 3, NOW, 1, NOW)
    assert second == SequenceGap("car", BOOT, 5, 8, NOW, 1, NOW)
    assert ingest.after(50) == []
    ingest.store(10)
    assert ingest.after(15) == asked
    assert ingest.after(100) == []
    assert ingest.after(25) == asked
    assert ingest.entered() == [(2, 3, 3), (5, 8, 3)]


def test_what_comes_or_is_given_up_leaves(ingest: Ingest) -> None:
    ingest.store(1, 9)
    ingest.after(6)
    ingest.after(31)
    ingest.store(4)
    ingest.after(6)
    assert ingest.entered() == [(2, 3, 1), (5, 8, 1)]
    ledger.record_dropped(ingest.connection, "car", BOOT, range(2, 8), NOW)
    ingest.store(8)
    ingest.after(6)
    assert ingest.entered() == []
    assert ingest.after(3600) == []


def test_a_car_that_was_not_heard_lately_is_not_asked(ingest: Ingest) -> None:
    ingest.store(1, 3)
    ingest.after(6)
    assert ingest.after(601) == []
    assert ingest.entered() == [(2, 2, 0)]
    assert ingest.after(60) == []
    ingest.store(4)
    ingest.after(6)
    assert ingest.after(31) == [("car", SendAgain(BOOT, ((2, 2),)))]


def test_a_restart_knows_how_often_it_has_asked(ingest: Ingest) -> None:
    ingest.store(1, 4)
    ingest.after(6)
    ingest.after(31)
    ingest.restart()
    assert ingest.after(100) == []
    ingest.store(5)
    assert ingest.after(6) == []
    assert ingest.after(31) == [("car", SendAgain(BOOT, ((2, 3),)))]
    assert ingest.entered() == [(2, 3, 2)]


def test_what_came_first_thing_after_a_restart_leaves(ingest: Ingest) -> None:
    ingest.store(1, 4)
    ingest.after(6)
    ingest.after(31)
    ingest.restart()
    ingest.store(2, 3)
    ingest.after(6)
    assert ingest.entered() == []


def test_what_was_stored_a_moment_ago_is_not_asked_for(ingest: Ingest) -> None:
    ingest.store(1, 4, 6)
    ingest.after(6)
    ingest.at += 31
    ingest.store(2, 3)
    assert ingest.after(0) == [("car", SendAgain(BOOT, ((5, 5),)))]


def test_all_are_asked_for_everything_that_is_not_stored(ingest: Ingest) -> None:
    ingest.store(1, 2, 5)
    ingest.at += 300
    ingest.store(1, vehicle_id="other", boot="00000000000000bb")
    ledger.record(
        ingest.connection, [LedgerEntry(BatchKey("car", "00000000000000cc", 1), BatchKind.TELEMETRY, NOW, sent_at=None)]
    )
    ingest.restart()
    ingest.gaps.ask_everything(ingest.connection)
    ingest.store(6)
    assert ingest.after(0) == [
        ("car", SendAgain(BOOT, ((3, 4),), 7)),
        ("other", SendAgain("00000000000000bb", (), 2)),
    ]
    assert ingest.after(1) == []


def test_all_are_those_of_the_shard(ingest: Ingest, tmp_path: Path) -> None:
    mine = Shard(2, 3)
    assert mine.has("car")
    assert not mine.has("other")
    part = Ingest(ingest.connection, tmp_path, mine)
    for car in ("car", "other"):
        ingest.store(1, vehicle_id=car)
    part.gaps.ask_everything(part.connection)
    assert [car for car, _ in part.after(0)] == ["car"]


def test_how_far_a_long_boot_has_come_is_noted_now_and_then(ingest: Ingest) -> None:
    known = [("car", BOOT)]
    ingest.store(*range(1, NOTED_EVERY))
    ingest.after(6)
    assert boot_progress.noted(ingest.connection, known) == {}
    ingest.store(NOTED_EVERY, NOTED_EVERY + 2)
    ingest.after(6)
    assert boot_progress.noted(ingest.connection, known) == {("car", BOOT): NOTED_EVERY}
    ingest.store(NOTED_EVERY + 1)
    ingest.after(6)
    assert boot_progress.noted(ingest.connection, known) == {("car", BOOT): NOTED_EVERY}
    ingest.restart()
    ingest.store(*range(NOTED_EVERY + 3, 2 * NOTED_EVERY + 2))
    ingest.after(6)
    assert boot_progress.noted(ingest.connection, known) == {("car", BOOT): 2 * NOTED_EVERY + 1}


def test_of_a_forgotten_car_nothing_is_written(ingest: Ingest) -> None:
    ingest.store(*range(1, NOTED_EVERY + 2), NOTED_EVERY + 3)
    ingest.at += 6
    vehicles.forget(ingest.connection, "car")
    assert ingest.after(0) == []
    ingest.after(31)
    assert ingest.entered() == []
    assert boot_progress.noted(ingest.connection, [("car", BOOT)]) == {}


def test_a_failed_look_is_made_up_for(ingest: Ingest) -> None:
    ingest.store(1, 3)
    ingest.after(6)
    ingest.at += 31
    ingest.connection.execute("ALTER TABLE sequence_gaps RENAME TO away")
    with pytest.raises(psycopg.errors.UndefinedTable):
        ingest.gaps.tend(ingest.connection)
    ingest.connection.execute("ALTER TABLE away RENAME TO sequence_gaps")
    assert ingest.after(0) == [("car", SendAgain(BOOT, ((2, 2),)))]
    assert ingest.entered() == [(2, 2, 1)]
