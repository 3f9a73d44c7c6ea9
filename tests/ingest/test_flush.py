"""Sorting a flush: each message goes one way, and a key is entered once, whatever was known."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.flush import Sorted, latest_sent_at, leave_out, make_plan, sort_out
from ingest.incoming import Incoming, read
from ingest.validation import TimeLimits
from storage.ledger import BatchKey, BatchKind
from tests.support.some_batches import BOOT, NOW, a_batch, a_message
from vehicle.batch import Event, EventBatch, EventKind, Hello
from vehicle.rejection import RejectionReason as Reason
from vehicle.wire import encode_events, encode_hello

LIMITS = TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=True)


def key(seq: int) -> BatchKey:
    return BatchKey("car-1", BOOT, seq)


def incoming(seq: int, variant: int) -> Incoming:
    return read(a_message(a_batch({"hv_soc_pct": [variant]}, seq=seq)))


@given(
    arrived=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), max_size=12),
    stored=st.dictionaries(st.integers(1, 4), st.integers(0, 2) | st.none()),
)
def test_each_message_goes_one_way(arrived: list[tuple[int, int]], stored: dict[int, int | None]) -> None:
    flush = [incoming(seq, variant) for seq, variant in arrived]
    known = {key(seq): None if variant is None else incoming(seq, variant).sha256 for seq, variant in stored.items()}
    result = sort_out(flush, known)
    assert Counter(map(id, everything(result))) == Counter(map(id, flush))
    first_copies = dict(reversed([(each.key, each) for each in flush]))
    for batch_key, entered in result.new.items():
        assert known.get(batch_key) is None
        assert entered is first_copies[batch_key]
    for duplicate in result.duplicates:
        assert duplicate.key is not None
        first = known.get(duplicate.key) or result.new[duplicate.key].sha256
        assert duplicate.sha256 == first
    for conflicting, rejection in result.refused:
        assert rejection.reason is Reason.ID_CONFLICT
        assert conflicting.key is not None
        assert conflicting.sha256 != (known.get(conflicting.key) or result.new[conflicting.key].sha256)
    assert set(result.arrived_after_all) == {k for k in result.new if k in known}


def everything(result: Sorted) -> list[Incoming]:
    return [*result.new.values(), *result.duplicates, *(incoming for incoming, _ in result.refused)]


def test_hellos_and_nameless_refusals_stand_apart() -> None:
    hello = read(a_message(topic="vsc/v1/car-1/hello", payload=encode_hello(Hello("car-1", BOOT, "a", "b", NOW))))
    nameless = read(a_message(payload=b"\xc1", user={}))
    result = sort_out([hello, nameless], {})
    assert [vehicle_id for vehicle_id, _ in result.hellos] == ["car-1"]
    assert [refused for refused, _ in result.refused] == [nameless]


def plan_of(*flush: Incoming) -> tuple[list[tuple[int, BatchKind, int]], list[Reason]]:
    plan = make_plan(sort_out(flush, {}).new, NOW, LIMITS)
    entries = [(entry.key.seq, entry.kind, entry.rows) for entry in plan.entries]
    return sorted(entries), [rejection.reason for _, rejection in plan.refused]


def test_a_batch_of_which_nothing_can_be_stored_is_entered_as_quarantined() -> None:
    stale = read(a_message(a_batch({"hv_soc_pct": [1]}, seconds=[-40 * 86_400])))
    unreadable = read(a_message(a_batch(seq=2), payload=b"\xc1"))
    events = EventBatch("car-1", BOOT, 3, NOW, (Event(NOW - timedelta(days=40), EventKind.DRIVE_START),))
    late_event = read(a_message(a_batch(seq=3), topic="vsc/v1/car-1/event", payload=encode_events(events)))
    entries, reasons = plan_of(stale, unreadable, late_event)
    assert entries == [(seq, BatchKind.QUARANTINE, 0) for seq in (1, 2, 3)]
    assert sorted(reasons) == [Reason.TOO_LATE, Reason.TOO_LATE, Reason.UNREADABLE]


def test_a_batch_stored_in_part_is_entered_with_what_is_stored() -> None:
    late = read(a_message(a_batch({"hv_soc_pct": [1, 2, 101]}, seconds=[-40 * 86_400, -1, 0])))
    entries, reasons = plan_of(late)
    assert entries == [(1, BatchKind.TELEMETRY, 2)]
    assert sorted(reasons) == [Reason.OUT_OF_RANGE, Reason.TOO_LATE]


def test_the_latest_sender_is_one_whose_clock_can_be_believed() -> None:
    times = (NOW, NOW + timedelta(hours=1), datetime(2150, 1, 1, tzinfo=UTC))
    flush = [read(a_message(a_batch(seq=seq, sent_at=at))) for seq, at in enumerate(times, start=1)]
    assert latest_sent_at(flush) == NOW + timedelta(hours=1)
    assert latest_sent_at([]) is None


def test_what_has_no_place_leaves_the_flush_with_all_that_bears_its_key() -> None:
    first, other, second, stored = incoming(1, 0), incoming(1, 1), incoming(2, 0), incoming(3, 0)
    conflict, nameless = incoming(3, 1), read(a_message(payload=b"\xc1", user={}))
    flush = [first, first, other, second, stored, conflict, nameless]
    new = sort_out(flush, {key(3): stored.sha256}).new
    left = leave_out(flush, [first, conflict, nameless], new)
    assert left.flush == [second, stored]
    assert (left.withheld, left.discarded) == (3, 2)


def test_of_a_message_there_is_one_refusal_for_each_reason() -> None:
    odd = read(a_message(a_batch({"hv_soc_pct": [101, 5], "cabin_temp_c": [999, 1]}, seconds=[-40 * 86_400, 0])))
    refused = make_plan({key(1): odd}, NOW, LIMITS).refused
    assert sorted(rejection.reason for _, rejection in refused) == [Reason.OUT_OF_RANGE, Reason.TOO_LATE]
    (detail,) = (rejection.detail for _, rejection in refused if rejection.reason is Reason.OUT_OF_RANGE)
    assert detail.startswith("1 of 2 values of hv_soc_pct, which shows 0 to 100; 1 of 2 values of cabin_temp_c")
