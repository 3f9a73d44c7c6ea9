"""One transaction a flush: what is stored, what is told, and what happens to what the database cannot hold."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from config.clock import WallClock
from ingest.incoming import Incoming, read
from ingest.validation import TimeLimits
from ingest.writer import Writer, is_passing
from storage import quarantine
from storage.ledger import BatchKey, known
from storage.vehicles import forget, register
from tests.support.some_batches import BOOT, NOW, a_batch, a_message
from vehicle.batch import Event, EventBatch, EventKind, Hello, StoredAck, TelemetryBatch
from vehicle.codec import JSON
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.rejection import RejectionReason as Reason
from vehicle.vehicle import VehicleRecord
from vehicle.wire import encode_events, encode_hello

pytestmark = pytest.mark.integration

LIMITS = TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=True)
UNSTORABLE = "a NUL, which JSON can carry and jsonb cannot hold: \0"


class OldClock(WallClock):
    """A data clock before any car has spoken."""

    def now(self) -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for vehicle_id in ("car-1", "car-2"):
            register(connection, VehicleRecord(vehicle_id, NOW))
        yield connection


@pytest.fixture
def writer() -> Writer:
    return Writer(LIMITS, OldClock())


def telemetry(seq: int, **changes: Any) -> Incoming:
    return read(a_message(a_batch({"hv_soc_pct": [seq, seq + 0.5]}, seq=seq, **changes)))


def trouble(seq: int, **details: Any) -> Incoming:
    code = DiagnosticTroubleCode("P0A1F", DtcStatus.CONFIRMED)
    events = (Event(NOW, EventKind.TROUBLE_CODE, code, details), Event(NOW, EventKind.DRIVE_STOP))
    payload = encode_events(EventBatch("car-1", BOOT, seq, NOW, events))
    return read(a_message(a_batch(seq=seq), topic="vsc/v1/car-1/event", payload=payload))


def hello(*dropped: tuple[str, int, int], boot: str = BOOT) -> Incoming:
    payload = encode_hello(Hello("car-1", boot, "agent/1", "abc", NOW, dropped))
    return read(a_message(topic="vsc/v1/car-1/hello", payload=payload, user={}))


def count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own names
    assert row is not None
    return int(row[0])


def test_a_flush_is_stored_and_told(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    outcome = writer.store(connection, [telemetry(1), trouble(2), telemetry(1, vehicle_id="car-2")])
    assert (outcome.batches, outcome.samples, outcome.events) == (3, 4, 2)
    assert sorted(outcome.acks) == [("car-1", StoredAck(BOOT, 2)), ("car-2", StoredAck(BOOT, 1))]
    assert outcome.newest == NOW
    rows = connection.execute("SELECT vehicle_id, time, received_at, hv_soc_pct FROM telemetry ORDER BY 1, 2")
    assert rows.fetchall() == [
        (vehicle_id, NOW - timedelta(seconds=1 - i), NOW, 1 + i / 2)
        for vehicle_id in ("car-1", "car-2")
        for i in (0, 1)
    ]
    assert connection.execute("SELECT code, status, i FROM events WHERE code IS NOT NULL").fetchall() == [
        ("P0A1F", 8, 0)
    ]


def test_the_same_again_is_a_duplicate_and_told_again(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    writer.store(connection, [telemetry(1), telemetry(1)])
    outcome = writer.store(connection, [telemetry(1), telemetry(2), telemetry(2)])
    assert (outcome.batches, outcome.duplicates) == (1, 2)
    assert outcome.acks == [("car-1", StoredAck(BOOT, 2))]
    assert count(connection, "telemetry") == 4
    assert count(connection, "batch_ledger") == 2
    assert count(connection, "quarantine") == 0


def test_another_payload_under_a_key_that_is_taken_goes_to_quarantine(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    other = read(a_message(a_batch({"hv_soc_pct": [99]}, seq=1)))
    outcome = writer.store(connection, [telemetry(1), other])
    outcome += writer.store(connection, [other])
    assert outcome.refused == {Reason.ID_CONFLICT: 2}
    (kept,) = quarantine.entries(connection)
    assert (kept.reason, kept.payload, kept.count) == (Reason.ID_CONFLICT, other.message.payload, 2)
    assert count(connection, "telemetry") == 2


def test_a_commit_without_an_answer_is_made_good_by_storing_again(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    writer.store(connection, [telemetry(1)])
    # What this writer does not hear of: its transaction with 2 and 3 has been committed.
    Writer(LIMITS, OldClock()).store(connection, [telemetry(2), telemetry(3)])
    outcome = writer.store(connection, [telemetry(2), telemetry(3)])
    assert (outcome.batches, outcome.duplicates) == (0, 2)
    assert outcome.acks == [("car-1", StoredAck(BOOT, 3))]
    assert count(connection, "telemetry") == 6


def test_gaps_are_told_until_they_are_filled(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    assert writer.store(connection, [telemetry(5)]).acks == [("car-1", StoredAck(BOOT, 5, ((1, 4),)))]
    assert writer.store(connection, [telemetry(2)]).acks == [("car-1", StoredAck(BOOT, 5, ((1, 1), (3, 4))))]
    restarted = Writer(LIMITS, OldClock())
    outcome = restarted.store(connection, [telemetry(seq) for seq in (1, 3, 4)])
    assert outcome.acks == [("car-1", StoredAck(BOOT, 5))]


def test_a_hello_is_answered_and_closes_the_gaps_that_the_car_gave_up(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    writer.store(connection, [telemetry(1), telemetry(6)])
    outcome = writer.store(connection, [hello((BOOT, 2, 4))])
    assert outcome.acks == [("car-1", StoredAck(BOOT, 6, ((5, 5),)))]
    assert writer.store(connection, [hello(boot="f" * 16)]).acks == [("car-1", StoredAck("f" * 16, 0))]


def test_what_was_given_up_and_arrives_after_all_is_stored(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    writer.store(connection, [hello((BOOT, 1, 3))])
    outcome = writer.store(connection, [telemetry(2)])
    assert (outcome.batches, outcome.acks) == (1, [("car-1", StoredAck(BOOT, 3))])
    assert known(connection, [BatchKey("car-1", BOOT, 2)])[BatchKey("car-1", BOOT, 2)] == telemetry(2).sha256
    assert count(connection, "telemetry") == 2
    assert writer.store(connection, [hello((BOOT, 1, 3)), telemetry(2)]).duplicates == 1


def test_a_hello_cannot_fill_the_ledger(
    writer: Writer, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.writer.MOST_DROPPED", 10)
    outcome = writer.store(connection, [hello((BOOT, 5, 2), (BOOT, 3, 5), (BOOT, 10, 2**63 - 1))])
    assert outcome.acks == [("car-1", StoredAck(BOOT, 16, ((1, 2), (6, 9))))]


def test_an_unreadable_payload_is_kept_and_told(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    outcome = writer.store(connection, [read(a_message(payload=b"\xc1\x00"))])
    assert outcome.acks == [("car-1", StoredAck(BOOT, 1))]
    (kept,) = quarantine.entries(connection)
    assert (kept.reason, kept.payload, kept.vehicle_id, kept.boot, kept.seq) == (
        Reason.UNREADABLE, b"\xc1\x00", "car-1", BOOT, 1,
    )  # fmt: skip


def test_the_same_refusal_with_and_without_a_key_counts_twice(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    flush = [read(a_message(payload=b"\xc1")), read(a_message(payload=b"\xc1", user={}))]
    assert writer.store(connection, flush).refused == {Reason.UNREADABLE: 2}
    assert [kept.count for kept in quarantine.entries(connection)] == [2]


def test_a_batch_refused_in_part_is_stored_and_kept_whole(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    message = a_message(a_batch({"hv_soc_pct": [50, 101]}))
    outcome = writer.store(connection, [read(message)])
    assert (outcome.samples, outcome.refused) == (2, {Reason.OUT_OF_RANGE: 1})
    rows = connection.execute("SELECT hv_soc_pct FROM telemetry ORDER BY time").fetchall()
    assert rows == [(50,), (None,)]
    assert [kept.payload for kept in quarantine.entries(connection)] == [message.payload]


def test_vehicles_are_known_from_their_registration_on(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    outcome = writer.store(connection, [telemetry(1, vehicle_id="car-3")])
    assert outcome.refused == {Reason.UNKNOWN_VEHICLE: 1}
    register(connection, VehicleRecord("car-3", NOW))
    assert writer.store(connection, [telemetry(2, vehicle_id="car-3")]).batches == 1


def test_vehicles_are_unknown_soon_after_they_are_forgotten(
    writer: Writer, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.store(connection, [telemetry(1)])
    forget(connection, "car-1")
    monkeypatch.setattr("ingest.registry._REFRESH_S", 0)
    assert writer.store(connection, [telemetry(2)]).refused == {Reason.UNKNOWN_VEHICLE: 1}


@pytest.mark.parametrize("first", [telemetry(1), hello()], ids=["batch", "hello"])
def test_nothing_is_told_stored_of_a_vehicles_former_life(
    writer: Writer, connection: psycopg.Connection[Any], first: Incoming
) -> None:
    writer.store(connection, [telemetry(seq) for seq in (1, 2, 3)])
    forget(connection, "car-1")
    register(connection, VehicleRecord("car-1", NOW))
    told = writer.store(connection, [first]).acks
    assert told == [("car-1", StoredAck(BOOT, int(first.key is not None)))]
    writer.store(connection, [telemetry(seq) for seq in (1, 2, 3)])
    assert count(connection, "telemetry") == 6


def test_a_flush_is_halved_to_what_the_database_cannot_hold(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    flush = [telemetry(seq) for seq in range(1, 8)]
    flush[2] = trouble(3, text=UNSTORABLE)
    flush[5] = read(a_message(a_batch(seq=6, extra={"note": [UNSTORABLE, None]})))
    outcome = writer.store(connection, flush)
    assert (outcome.batches, outcome.samples, outcome.events) == (7, 11, 1)
    assert outcome.refused == {Reason.UNSTORABLE: 2}
    assert outcome.acks == [("car-1", StoredAck(BOOT, 7))]
    kept = {each.payload: each.detail for each in quarantine.entries(connection)}
    assert kept == {
        flush[2].message.payload: "1 of 2 events, counted from 0: 0: "
        "the database cannot hold it: UntranslatableCharacter",
        flush[5].message.payload: "1 of 2 samples, counted from 0: 0: "
        "the database cannot hold it: UntranslatableCharacter",
    }


def test_of_a_batch_only_the_samples_that_break_a_constraint_are_refused(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT not_42 CHECK (hv_soc_pct <> 42)")
    flush = [read(a_message(a_batch({"hv_soc_pct": [101, 42, 3, 42, 5]}, seq=1))), telemetry(2)]
    outcome = writer.store(connection, flush)
    assert (outcome.batches, outcome.samples) == (2, 5)
    assert outcome.refused == {Reason.UNSTORABLE: 1, Reason.OUT_OF_RANGE: 1}
    rows = connection.execute("SELECT hv_soc_pct FROM telemetry ORDER BY time, hv_soc_pct").fetchall()
    assert rows == [(None,), (3,), (2,), (2.5,), (5,)]
    details = {each.reason: each.detail for each in quarantine.entries(connection)}
    assert details[Reason.UNSTORABLE] == (
        "2 of 5 samples, counted from 0: 1, 3: the database cannot hold it: CheckViolation of not_42"
    )
    assert writer.store(connection, flush).duplicates == 2


def test_a_batch_without_a_good_sample_is_refused_as_a_whole(
    writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("ALTER TABLE telemetry ADD CONSTRAINT never CHECK (hv_soc_pct IS NULL)")
    count_many = read(a_message(a_batch({"hv_soc_pct": [1.0] * 1000}, seq=1)))
    outcome = writer.store(connection, [count_many, telemetry(2)])
    assert (outcome.batches, outcome.refused) == (0, {Reason.UNSTORABLE: 2})
    assert outcome.acks == [("car-1", StoredAck(BOOT, 2))]
    assert count(connection, "telemetry") == 0


def odd_values() -> st.SearchStrategy[Any]:
    """What MessagePack can carry."""
    numbers = st.integers(-(2**63), 2**64 - 1) | st.floats()
    binary = st.binary(max_size=5) | st.builds(msgspec.msgpack.Ext, st.integers(0, 9), st.binary(max_size=3))
    leaves = st.none() | st.booleans() | numbers | st.text() | binary | st.datetimes(timezones=st.just(UTC))
    keys = st.text() | st.integers(-5, 5) | st.none() | st.binary(max_size=2)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(details=st.dictionaries(st.text(), odd_values(), max_size=3), extra=odd_values(), name=st.text(min_size=1))
def test_nothing_that_a_vehicle_can_say_stops_the_writer(
    connection: psycopg.Connection[Any], details: dict[str, Any], extra: Any, name: str
) -> None:
    for table in ("telemetry", "events", "batch_ledger", "quarantine"):
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    flush = [trouble(1, **{f"x{key}": value for key, value in details.items()})]
    flush.append(read(a_message(a_batch({"hv_soc_pct": [1]}, seq=2, extra={f"x{name}": [extra]}))))
    outcome = Writer(LIMITS, OldClock()).store(connection, [*flush, telemetry(3)])
    assert outcome.acks == [("car-1", StoredAck(BOOT, 3))]
    whole = outcome.batches + sum(outcome.refused.values())
    assert whole >= 3
    assert count(connection, "telemetry") >= 2


@pytest.mark.parametrize("depth", [100, 900, 970, 990, 1100, 20_000])
def test_depth_does_not_stop_the_writer(writer: Writer, connection: psycopg.Connection[Any], depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    payload = trouble(1, deep="NESTED").message.payload
    text = msgspec.json.encode(msgspec.msgpack.decode(payload)).replace(b'"NESTED"', nested)
    deep = read(a_message(topic="vsc/v1/car-1/event", payload=text, content_type=JSON))
    assert writer.store(connection, [deep, telemetry(2)]).acks == [("car-1", StoredAck(BOOT, 2))]


def test_a_database_that_goes_away_leaves_nothing_behind(
    writer: Writer, connection: psycopg.Connection[Any], database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as lost:
        writer.store(lost, [telemetry(1)])
        pid = lost.info.backend_pid
        connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(psycopg.OperationalError) as failure:
            writer.store(lost, [telemetry(2)])
        assert is_passing(failure.value, lost)
    assert count(connection, "batch_ledger") == 1
    assert writer.store(connection, [telemetry(2)]).acks == [("car-1", StoredAck(BOOT, 2))]


def test_a_missing_table_does_not_pass(writer: Writer, connection: psycopg.Connection[Any]) -> None:
    connection.execute("DROP TABLE telemetry")
    with pytest.raises(psycopg.errors.UndefinedTable) as failure:
        writer.store(connection, [telemetry(1)])
    assert not is_passing(failure.value, connection)
    assert count(connection, "batch_ledger") == 0


def test_an_infinite_time_cannot_be_stored(connection: psycopg.Connection[Any]) -> None:
    for table, column in (("telemetry", "time"), ("events", "at")):
        columns = [column, "received_at"] if table == "telemetry" else [column, "boot", "seq", "i", "kind"]
        values = ["infinity", NOW] if table == "telemetry" else ["infinity", BOOT, 1, 0, "alert"]
        statement = sql.SQL("INSERT INTO {} (vehicle_id, {}) VALUES ('car-1', {})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        )
        with pytest.raises((psycopg.errors.CheckViolation, psycopg.DataError)):
            connection.execute(statement, values)


BAD = read(a_message(a_batch(seq=1), payload=b"\xc1" * 60))


def test_when_quarantine_is_full_the_stored_ack_is_withheld(connection: psycopg.Connection[Any]) -> None:
    writer = Writer(LIMITS, OldClock(), quarantine_limit=100)
    assert writer.store(connection, [BAD]).refused == {Reason.UNREADABLE: 1}
    other = read(a_message(a_batch(seq=2), payload=b"\xc2" * 60))
    in_part = read(a_message(a_batch({"hv_soc_pct": [50, 101]}, seq=4)))
    outcome = writer.store(connection, [other, telemetry(3), in_part, in_part, telemetry(5), BAD])
    assert writer.room.full
    assert (outcome.batches, outcome.samples, outcome.duplicates) == (2, 4, 1)
    assert (outcome.withheld, outcome.discarded, outcome.refused) == (3, 0, {})
    assert outcome.acks == [("car-1", StoredAck(BOOT, 5, ((2, 2), (4, 4))))]
    assert known(connection, [BatchKey("car-1", BOOT, seq) for seq in (2, 4)]) == {}
    assert count(connection, "quarantine") == 1


def test_what_is_withheld_is_kept_once_there_is_room(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(LIMITS, OldClock(), quarantine_limit=100)
    other = read(a_message(a_batch(seq=2), payload=b"\xc2" * 60))
    assert writer.store(connection, [BAD, other]).withheld == 1
    assert writer.store(connection, [other]).acks == []
    connection.execute("DELETE FROM quarantine")
    assert writer.store(connection, [other]).withheld == 1
    monkeypatch.setattr("ingest.room._REFRESH_S", 0)
    outcome = writer.store(connection, [other])
    assert (outcome.withheld, outcome.acks) == (0, [("car-1", StoredAck(BOOT, 2))])
    assert not writer.room.full


def test_the_same_bytes_again_cost_nothing_and_are_counted(connection: psycopg.Connection[Any]) -> None:
    nameless = read(a_message(payload=b"\xc1" * 60, user={}))
    writer = Writer(LIMITS, OldClock(), quarantine_limit=100)
    for _ in range(3):
        assert writer.store(connection, [nameless, nameless]).refused == {Reason.UNREADABLE: 2}
    assert [kept.count for kept in quarantine.entries(connection)] == [6]


def test_what_nobody_sends_again_is_discarded_and_counted(connection: psycopg.Connection[Any]) -> None:
    writer = Writer(LIMITS, OldClock(), quarantine_limit=0)
    nameless = read(a_message(payload=b"\xc1", user={}))
    conflicting = read(a_message(a_batch({"hv_soc_pct": [99]}, seq=1)))
    foreign = read(a_message(a_batch({"hv_soc_pct": [101]}, boot="f" * 16)))
    assert isinstance(foreign.content, TelemetryBatch)
    made = replace(foreign, content=replace(foreign.content, time_received=True))
    outcome = writer.store(connection, [telemetry(1), nameless, conflicting, made])
    assert (outcome.batches, outcome.withheld, outcome.discarded) == (1, 0, 3)
    assert outcome.acks == [("car-1", StoredAck(BOOT, 1))]


def test_samples_that_the_database_cannot_hold_are_withheld_with_their_batch(
    connection: psycopg.Connection[Any],
) -> None:
    writer = Writer(LIMITS, OldClock(), quarantine_limit=0)
    outcome = writer.store(connection, [trouble(1, text=UNSTORABLE), telemetry(2)])
    assert (outcome.batches, outcome.withheld, outcome.refused) == (1, 1, {})
    assert count(connection, "events") == 0
    assert outcome.acks == [("car-1", StoredAck(BOOT, 2, ((1, 1),)))]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    arriving=st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["good", "part", "bad", "other"])), max_size=12),
    limit=st.integers(0, 400),
    flush_size=st.integers(1, 5),
)
def test_what_is_told_is_safe_and_quarantine_keeps_its_limit(
    connection: psycopg.Connection[Any], arriving: list[tuple[int, str]], limit: int, flush_size: int
) -> None:
    for table in ("telemetry", "events", "batch_ledger", "quarantine"):
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    variants: dict[str, Callable[[int], Incoming]] = {
        "good": telemetry,
        "part": lambda seq: read(a_message(a_batch({"hv_soc_pct": [seq, 101]}, seq=seq))),
        "bad": lambda seq: read(a_message(a_batch(seq=seq), payload=b"\xc1" * (40 + seq))),
        "other": lambda seq: read(a_message(a_batch({"hv_soc_pct": [90]}, seq=seq))),
    }
    flush = [variants[kind](seq) for seq, kind in arriving]
    writer = Writer(LIMITS, OldClock(), quarantine_limit=limit)
    for start in range(0, len(flush), flush_size):
        these = flush[start : start + flush_size]
        outcome = writer.store(connection, these)
        for _, ack in outcome.acks:
            told = [BatchKey("car-1", BOOT, seq) for seq in range(1, 7) if ack.covers(seq)]
            assert set(known(connection, told)) == set(told)
        in_plan = outcome.duplicates + outcome.withheld + outcome.discarded + outcome.refused.total()
        assert outcome.batches + in_plan >= len(these)
    assert quarantine.size(connection) <= limit
    entered = connection.execute("SELECT kind, sha256 FROM batch_ledger").fetchall()
    kept = {entry.sha256 for entry in quarantine.entries(connection)}
    assert {sha256 for kind, sha256 in entered if kind == "quarantine"} <= kept
    assert count(connection, "telemetry") == sum(row[0] for row in connection.execute("SELECT rows FROM batch_ledger"))
