"""Replay: what is in quarantine comes into the tables as if it had been stored at once, and only once."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from config.clock import WallClock
from ingest.incoming import Incoming, read
from ingest.rebuilt import set_clock
from ingest.replay import Replay
from ingest.replay_turn import Replayed
from ingest.validation import TimeLimits
from ingest.writer import Writer
from storage import ledger, quarantine, turns
from storage.ledger import BatchKey
from storage.quarantine import QuarantinedMessage, Selection
from storage.vehicles import forget, register
from tests.support.some_batches import BOOT, NOW, a_batch, a_message
from vehicle.batch import Event, EventBatch, EventKind, Hello, StoredAck, TelemetryBatch
from vehicle.moment import instant
from vehicle.rejection import Rejection
from vehicle.rejection import RejectionReason as Reason
from vehicle.vehicle import VehicleRecord
from vehicle.wire import encode_events, encode_hello

pytestmark = pytest.mark.integration

LIMITS = TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=False)
TABLES = ("telemetry", "events", "batch_ledger", "quarantine", "vehicles")


class StillClock(WallClock):
    """A wall clock that shows when everything here arrives."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def writer() -> Writer:
    return Writer(LIMITS, StillClock())


def telemetry(seq: int = 1, **changes: Any) -> Incoming:
    return read(a_message(a_batch({"hv_soc_pct": [seq % 90, seq % 90 + 0.5]}, seq=seq, **changes)))


def events(seq: int, *happened: Event) -> Incoming:
    payload = encode_events(EventBatch("car-1", BOOT, seq, NOW, happened or (Event(NOW, EventKind.DRIVE_STOP),)))
    return read(a_message(a_batch(seq=seq), topic="vsc/v1/car-1/event", payload=payload))


def know(connection: psycopg.Connection[Any], vehicle_id: str = "car-1") -> None:
    register(connection, VehicleRecord(vehicle_id, NOW))


def replay(connection: psycopg.Connection[Any], which: Selection = quarantine.EVERYTHING, **options: Any) -> Replayed:
    return Replay(connection, options.pop("limits", LIMITS), **options).run(which)


def snapshot(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """All that is stored, without the numbers that the database gives."""
    queries = {
        "telemetry": "SELECT * FROM telemetry ORDER BY time, hv_soc_pct",
        "events": "SELECT * FROM events ORDER BY boot, seq, i",
        "ledger": "SELECT vehicle_id, boot, seq, kind, sha256, rows, first_at, last_at, sent_at, received_at "
        "FROM batch_ledger ORDER BY boot, seq",
        "quarantine": "SELECT sha256, topic, reason, detail, payload, count, received_at, last_received_at, "
        "vehicle_id, boot, seq FROM quarantine ORDER BY sha256, topic, reason",
    }
    return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def test_what_came_before_its_car_was_known_is_stored_once(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    assert writer.store(connection, [telemetry(1), events(2), telemetry(3)]).refused == {Reason.UNKNOWN_VEHICLE: 3}
    assert replay(connection).kept == {Reason.UNKNOWN_VEHICLE: 3}
    know(connection)
    result = replay(connection)
    assert (result.stored, result.samples, result.events, result.newest) == (3, 4, 1, NOW)
    assert quarantine.entries(connection) == []
    assert replay(connection) == Replayed()
    assert ledger.stored_ranges(connection, "car-1", BOOT) == StoredAck(BOOT, 3)
    outcome = writer.store(connection, [telemetry(1), telemetry(4)])
    assert (outcome.duplicates, outcome.acks) == (1, [("car-1", StoredAck(BOOT, 4))])
    assert len(snapshot(connection)["telemetry"]) == 6


def messages() -> st.SearchStrategy[list[Incoming]]:
    """What a car may send, good and bad, each under a number of its own."""
    values = st.lists(st.sampled_from([0.0, 50.5, 100.0, 101.0]), min_size=1, max_size=4)
    seconds = st.sampled_from([0, -40 * 86_400, 3600])
    notes = st.sampled_from([None, "fine", "a NUL: \0"])
    kinds = st.sampled_from(["telemetry", "events", "unreadable", "late clock"])

    def build(drawn: list[tuple[str, list[float], int, str | None]]) -> list[Incoming]:
        made = []
        for seq, (kind, column, shift, note) in enumerate(drawn, start=1):
            batch = a_batch(
                {"hv_soc_pct": column},
                seconds=[shift, *range(shift + 1, shift + len(column))],
                seq=seq,
                sent_at=NOW if kind == "telemetry" else NOW - timedelta(hours=1),
                extra={"note": [note] * len(column)} if note else {},
            )
            happened = [Event(NOW + timedelta(seconds=shift), EventKind.ALERT, None, {"note": note}) for _ in column]
            made.append(
                events(seq, *happened)
                if kind == "events"
                else read(a_message(batch, **({"payload": b"\xc1" * seq} if kind == "unreadable" else {})))
            )
        return made

    return st.lists(st.tuples(kinds, values, seconds, notes), max_size=6).map(build)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(arriving=messages(), by_sender=st.booleans(), turns=st.integers(1, 3))
def test_replayed_is_as_stored_directly(
    connection: psycopg.Connection[Any], arriving: list[Incoming], turns: int, *, by_sender: bool
) -> None:
    limits = TimeLimits(LIMITS.late, LIMITS.future, by_sender=by_sender)
    shots = []
    for known_at_first in (True, False):
        for table in TABLES:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        if known_at_first:
            know(connection)
        Writer(limits, StillClock()).store(connection, arriving)
        if not known_at_first:
            know(connection)
            for _ in range(turns):
                replay(connection, limits=limits)
        shots.append(snapshot(connection))
    assert shots[0] == shots[1]


def test_the_detectors_see_a_replayed_batch_arrive(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    know(connection)
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT not_1 CHECK (hv_soc_pct <> 1)")
    writer.store(connection, [telemetry(1), telemetry(2, seconds=[2, 3])])
    before = ledger.arrivals(connection, "car-1", 0)
    connection.execute("ALTER TABLE telemetry DROP CONSTRAINT not_1")
    assert before is not None
    assert replay(connection).samples == 2
    after = ledger.arrivals(connection, "car-1", before.through)
    assert after is not None
    assert (after.through > before.through, after.first_new_at) == (True, NOW - timedelta(seconds=1))


def test_a_batch_stored_in_part_is_replaced_as_a_whole(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    know(connection)
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT not_1 CHECK (hv_soc_pct <> 1)")
    happened = (Event(NOW, EventKind.DRIVE_START), Event(NOW - timedelta(days=40), EventKind.DRIVE_STOP))
    assert writer.store(connection, [telemetry(1), events(2, *happened)]).refused.total() == 2
    assert replay(connection).left == 2
    connection.execute("ALTER TABLE telemetry DROP CONSTRAINT not_1")
    later = TimeLimits(timedelta(days=50), LIMITS.future, by_sender=False)
    assert replay(connection, limits=later).stored == 2
    rows = connection.execute("SELECT hv_soc_pct FROM telemetry ORDER BY time").fetchall()
    assert rows == [(1,), (1.5,)]
    assert connection.execute("SELECT i, kind FROM events ORDER BY i").fetchall() == [
        (0, "drive_start"), (1, "drive_stop"),
    ]  # fmt: skip
    assert quarantine.entries(connection) == []


def test_what_is_stored_in_part_still_is_left_alone(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    know(connection)
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT not_1 CHECK (hv_soc_pct <> 1)")
    writer.store(connection, [telemetry(1), read(a_message(a_batch({"hv_soc_pct": [7, 101]}, seq=2)))])
    before = snapshot(connection), connection.execute("SELECT id FROM quarantine ORDER BY id").fetchall()
    numbers = connection.execute("SELECT ingest_id FROM batch_ledger ORDER BY seq").fetchall()
    assert replay(connection).kept == {Reason.UNSTORABLE: 1, Reason.OUT_OF_RANGE: 1}
    assert (snapshot(connection), connection.execute("SELECT id FROM quarantine ORDER BY id").fetchall()) == before
    assert connection.execute("SELECT ingest_id FROM batch_ledger ORDER BY seq").fetchall() == numbers


def test_samples_that_may_be_another_batchs_are_not_deleted(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    know(connection)
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT not_1 CHECK (hv_soc_pct <> 1)")
    twin = a_batch({"hv_soc_pct": [8, 9]}, boot="b" * 16)
    writer.store(connection, [telemetry(1), read(a_message(twin))])
    connection.execute("ALTER TABLE telemetry DROP CONSTRAINT not_1")
    assert replay(connection).kept == {Reason.UNSTORABLE: 1}
    rows = connection.execute("SELECT hv_soc_pct FROM telemetry ORDER BY hv_soc_pct").fetchall()
    assert rows == [(1.5,), (8,), (9,)]


def test_times_are_judged_as_of_the_arrival(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    know(connection)
    old = read(a_message(a_batch({"hv_soc_pct": [1]}, seconds=[-40 * 86_400])))
    assert writer.store(connection, [old]).refused == {Reason.TOO_LATE: 1}
    assert replay(connection).kept == {Reason.TOO_LATE: 1}
    # Were it judged by the machine's time, it would be too late by years or in the future, as the test's date is fixed.
    wider = TimeLimits(timedelta(days=41), LIMITS.future, by_sender=False)
    assert replay(connection, limits=wider).stored == 1
    assert connection.execute("SELECT received_at FROM telemetry").fetchall() == [(NOW,)]


def test_what_stays_has_todays_reason_under_its_number(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    old = read(a_message(a_batch({"hv_soc_pct": [1, 101]}, seconds=[-40 * 86_400, 0])))
    writer.store(connection, [old])
    (before,) = quarantine.entries(connection)
    know(connection)
    assert replay(connection).in_part == 1
    after = {entry.reason: entry for entry in quarantine.entries(connection)}
    assert set(after) == {Reason.TOO_LATE, Reason.OUT_OF_RANGE}
    assert min(entry.id for entry in after.values()) == before.id
    assert {(entry.count, entry.received_at, entry.payload) for entry in after.values()} == {
        (1, NOW, old.message.payload)
    }


def test_a_payload_that_could_not_be_read_is_found_to_be_a_batch(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    know(connection)
    message = telemetry(1).message
    refused = Rejection(Reason.UNREADABLE, "by a decoder that has been mended since")
    quarantine.record(connection, [QuarantinedMessage(NOW, message.topic, refused, message.payload)])
    writer.store(connection, [telemetry(2)])
    assert replay(connection).stored == 1
    # The live writer has not heard of it.
    outcome = writer.store(connection, [telemetry(1), telemetry(3)])
    assert (outcome.duplicates, outcome.acks) == (1, [("car-1", StoredAck(BOOT, 3))])
    assert len(snapshot(connection)["telemetry"]) == 6


def test_another_payload_under_a_key_that_is_taken_stays(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    know(connection)
    writer.store(connection, [telemetry(1), read(a_message(a_batch({"hv_soc_pct": [99]}, seq=1)))])
    before = snapshot(connection)
    assert replay(connection).kept == {Reason.ID_CONFLICT: 1}
    assert snapshot(connection) == before


def test_what_a_car_gave_up_and_quarantine_has_is_stored(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    hello = encode_hello(Hello("car-1", BOOT, "agent/1", "abc", NOW, ((BOOT, 1, 3),)))
    flush = [read(a_message(topic="vsc/v1/car-1/hello", payload=hello, user={})), telemetry(2)]
    writer.store(connection, flush)
    know(connection)
    assert replay(connection).stored == 2
    kinds = connection.execute("SELECT seq, kind FROM batch_ledger ORDER BY seq").fetchall()
    assert kinds == [(1, "dropped"), (2, "telemetry"), (3, "dropped")]


def test_a_clock_that_was_not_set_is_set_by_hand(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    know(connection)
    booted = datetime(1970, 1, 1, tzinfo=UTC)
    batch = a_batch({"hv_soc_pct": [1, 2]}, seconds=[0, 1], sent_at=booted + timedelta(seconds=5))
    shown = TelemetryBatch(
        "car-1", BOOT, 1, batch.sent_at, instant(booted) + (batch.times - batch.times[0]), batch.columns
    )
    assert writer.store(connection, [read(a_message(shown))]).refused == {Reason.CLOCK_UNSET: 1}
    (entry,) = quarantine.entries(connection)
    true_offset = NOW - timedelta(seconds=6) - booted
    assert replay(connection, Selection(ids=[entry.id]), clock_offset=true_offset).stored == 1
    times = connection.execute("SELECT time FROM telemetry ORDER BY time").fetchall()
    assert times == [(NOW - timedelta(seconds=6),), (NOW - timedelta(seconds=5),)]


def test_times_that_would_run_backwards_are_not_set() -> None:
    batch = a_batch({"hv_soc_pct": [1, 2]})
    mixed = TelemetryBatch(
        "car-1", BOOT, 1, NOW, np.array(["1970-01-01", "2026-09-01"], "datetime64[us]"), batch.columns
    )
    assert set_clock(mixed, timedelta(days=365 * 60)) is mixed
    right = set_clock(mixed, timedelta(days=365 * 50))
    assert isinstance(right, TelemetryBatch)
    assert (right.times[0] > np.datetime64("2019-01-01"), right.sent_at) == (True, NOW)


def test_a_dry_run_tells_and_changes_nothing(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    writer.store(connection, [telemetry(1), events(2)])
    know(connection)
    before = snapshot(connection)
    told = replay(connection, dry_run=True)
    assert snapshot(connection) == before
    assert told == replay(connection)


def test_only_what_is_selected_is_replayed(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    unreadable = read(a_message(a_batch(seq=9), payload=b"x"))
    writer.store(connection, [telemetry(1), telemetry(2), telemetry(1, vehicle_id="car-2"), unreadable])
    for car in ("car-1", "car-2"):
        know(connection, car)
    first = next(e.id for e in quarantine.entries(connection) if e.vehicle_id == "car-1" and e.payload != b"x")
    assert replay(connection, Selection(ids=[first])).stored == 1
    assert replay(connection, Selection(vehicle_id="car-2")).stored == 1
    assert {entry.payload for entry in quarantine.entries(connection)} > {b"x"}
    assert replay(connection, Selection(reason=Reason.UNKNOWN_VEHICLE, vehicle_id="car-1")).stored == 1


def test_foreign_messages_are_left_as_they_are(connection: psycopg.Connection[Any]) -> None:
    refused = Rejection(Reason.UNKNOWN_VEHICLE, "no")
    quarantine.record(connection, [QuarantinedMessage(NOW, "telemetry/x/v/Soc", refused, b"63.4")])
    before = snapshot(connection)
    result = replay(connection)
    assert (result.foreign, result.left) == (1, 1)
    assert snapshot(connection) == before


def test_the_message_of_a_forgotten_car_is_not_stored(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    writer.store(connection, [telemetry(1)])
    know(connection)
    forget(connection, "car-1")
    assert replay(connection) == Replayed()


def test_replays_at_once_and_a_live_writer_store_each_batch_once(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    arriving = [telemetry(seq) for seq in range(1, 151)]
    Writer(LIMITS, StillClock()).store(connection, arriving)
    know(connection)
    results: list[Replayed] = []
    faults: list[Exception] = []

    def run(live: bool) -> None:  # noqa: FBT001 - a thread's argument
        try:
            with psycopg.connect(database_url, autocommit=True) as own:
                if live:
                    writer = Writer(LIMITS, StillClock())
                    for start in range(0, 200, 10):
                        writer.store(own, [telemetry(seq) for seq in range(start + 1, start + 11)])
                else:
                    results.append(replay(own))
        except Exception as error:  # noqa: BLE001 - told by the test's own thread
            faults.append(error)

    threads = [threading.Thread(target=run, args=(live,)) for live in (False, False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum(result.stored for result in results) == 150
    assert connection.execute("SELECT count(*), count(DISTINCT time) FROM telemetry").fetchone() == (400, 2)
    assert connection.execute("SELECT count(*), sum(rows) FROM batch_ledger").fetchone() == (200, 400)
    assert ledger.known(connection, [BatchKey("car-1", BOOT, 150)]) == {arriving[149].key: arriving[149].sha256}
    assert quarantine.entries(connection) == []


def test_times_of_arrival_stay_marked(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    know(connection)
    made = telemetry(1)
    assert isinstance(made.content, TelemetryBatch)
    made = replace(made, content=replace(made.content, time_received=True))
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT not_1 CHECK (hv_soc_pct <> 1)")
    writer.store(connection, [made])
    connection.execute("ALTER TABLE telemetry DROP CONSTRAINT not_1")
    assert replay(connection).stored == 1
    for table in ("telemetry", "batch_ledger"):
        query = sql.SQL("SELECT DISTINCT time_received FROM {}").format(sql.Identifier(table))
        assert connection.execute(query).fetchall() == [(True,)]


def test_the_ledgers_numbers_become_visible_in_their_order(
    writer: Writer, connection: psycopg.Connection[Any], database_url: str
) -> None:
    writer.store(connection, [telemetry(1)])
    know(connection)

    def waits(
        work: Callable[[psycopg.Connection[Any]], object], turn: Callable[[psycopg.Connection[Any]], None]
    ) -> None:
        """Whether `work` does not end before a transaction with that turn does."""
        with psycopg.connect(database_url, autocommit=True) as own:
            thread = threading.Thread(target=work, args=(own,))
            with connection.transaction():
                turn(connection)
                thread.start()
                thread.join(0.3)
                assert thread.is_alive()
            thread.join()

    waits(replay, turns.take_part)
    waits(lambda own: writer.store(own, [telemetry(2)]), turns.be_alone)
    numbers = connection.execute("SELECT seq FROM batch_ledger ORDER BY ingest_id").fetchall()
    assert numbers == [(1,), (2,)]
