"""A flush made ready before the database is asked is stored as any other, and its guess is not trusted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from config.clock import WallClock
from ingest import preparation
from ingest import writer as writer_module
from ingest.incoming import Incoming, read
from ingest.preparation import Prepared, prepare
from ingest.validation import TimeLimits
from ingest.writer import Outcome, Writer
from storage.vehicles import register
from tests.support.some_batches import NOW, a_batch, a_message
from vehicle.batch import StoredAck
from vehicle.rejection import RejectionReason as Reason
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.integration

LIMITS = TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=True)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
BEYOND = 1e9
EVERYTHING = {
    "telemetry": "SELECT * FROM telemetry ORDER BY vehicle_id, time",
    "ledger": "SELECT vehicle_id, boot, seq, kind, sha256, rows, first_at, last_at, sent_at, received_at "
    "FROM batch_ledger ORDER BY 1, 2, 3",
    "quarantine": "SELECT topic, reason, detail, payload FROM quarantine ORDER BY payload, reason",
}


class OldClock(WallClock):
    """A data clock before any car has spoken."""

    def now(self) -> datetime:
        return LONG_AGO


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        register(connection, VehicleRecord("car-1", NOW))
        yield connection


def telemetry(seq: int, soc: float = 50.0, **changes: Any) -> Incoming:
    at = NOW + timedelta(minutes=seq)
    return read(a_message(a_batch({"hv_soc_pct": [soc, soc + seq / 4]}, seq=seq, sent_at=at, **changes)))


def mixed() -> list[Incoming]:
    """New ones, one twice, another content under its number, an impossible value, and what cannot be read."""
    return [
        telemetry(2),
        telemetry(1),
        telemetry(2),
        telemetry(1, soc=1.0),
        telemetry(3, soc=BEYOND),
        read(a_message(a_batch(seq=4), payload=b"\xc1")),
    ]


def ready(flush: list[Incoming]) -> Prepared:
    prepared = prepare(flush, LONG_AGO, LIMITS)
    assert prepared is not None
    return prepared


def stored(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    return {name: connection.execute(query).fetchall() for name, query in EVERYTHING.items()}


def store_without_work(
    connection: psycopg.Connection[Any], flush: list[Incoming], monkeypatch: pytest.MonkeyPatch
) -> Outcome:
    prepared = ready(flush)
    with monkeypatch.context() as patch:
        patch.delattr(writer_module, "make_work")
        return Writer(LIMITS, OldClock()).store(connection, flush, prepared)


def test_what_was_made_ready_is_stored_as_it_would_be_without(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Writer(LIMITS, OldClock()).store(connection, mixed())
    expected = stored(connection)
    connection.execute("TRUNCATE telemetry, batch_ledger, quarantine, boot_progress")
    prepared = store_without_work(connection, mixed(), monkeypatch)
    assert stored(connection) == expected
    assert expected["telemetry"]
    assert prepared == plain
    assert plain.refused == {Reason.ID_CONFLICT: 1, Reason.OUT_OF_RANGE: 1, Reason.UNREADABLE: 1}


def test_what_has_become_known_meanwhile_is_a_duplicate(connection: psycopg.Connection[Any]) -> None:
    flush = [telemetry(1), telemetry(2)]
    prepared = ready(flush)
    writer = Writer(LIMITS, OldClock())
    writer.store(connection, [telemetry(1)])
    outcome = writer.store(connection, flush, prepared)
    assert (outcome.batches, outcome.duplicates) == (1, 1)
    assert outcome.acks[0][1] == StoredAck(flush[0].key.boot, 2) if flush[0].key else False
    assert len(stored(connection)["telemetry"]) == 4


def test_who_is_not_registered_is_refused_all_the_same(connection: psycopg.Connection[Any]) -> None:
    flush = [telemetry(1), telemetry(1, vehicle_id="car-9")]
    outcome = Writer(LIMITS, OldClock()).store(connection, flush, ready(flush))
    assert outcome.refused == {Reason.UNKNOWN_VEHICLE: 1}
    assert {row[0] for row in stored(connection)["telemetry"]} == {"car-1"}


def test_what_was_made_of_other_messages_is_not_used(connection: psycopg.Connection[Any]) -> None:
    flush = [telemetry(1), telemetry(2)]
    for other in ([telemetry(1)], [telemetry(3), telemetry(4)]):
        assert not ready(other).is_of(flush)
    outcome = Writer(LIMITS, OldClock()).store(connection, flush, ready([telemetry(3), telemetry(4)]))
    assert outcome.acks[0][1].through == 2


def test_a_ready_flush_that_the_database_cannot_hold_is_taken_to_pieces(connection: psycopg.Connection[Any]) -> None:
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT no_77 CHECK (hv_soc_pct <> 77)")
    flush = [telemetry(1), telemetry(2, soc=77.0), telemetry(3)]
    outcome = Writer(LIMITS, OldClock()).store(connection, flush, ready(flush))
    assert outcome.refused == {Reason.UNSTORABLE: 1}
    assert len(stored(connection)["telemetry"]) == 5
    assert outcome.acks[0][1].through == 3


def test_what_cannot_be_laid_out_is_left_to_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(preparation, "make_work", too_deep)
    assert prepare([telemetry(1)], LONG_AGO, LIMITS) is None
