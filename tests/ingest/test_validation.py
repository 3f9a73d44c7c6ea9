"""Validation parts a batch: each value is either stored as it was sent, or told of in a rejection."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.validation import Judgement, TimeLimits, judge_events, judge_telemetry
from tests.support.some_batches import NOW, a_batch
from vehicle.batch import Event, EventBatch, EventKind, TelemetryBatch
from vehicle.moment import moment
from vehicle.rejection import RejectionReason as Reason
from vehicle.signals import CATALOGUE, SignalKind

LATE, FUTURE = timedelta(days=30), timedelta(minutes=10)
BY_SENDER = TimeLimits(LATE, FUTURE, by_sender=True)
BY_CLOCK = TimeLimits(LATE, FUTURE, by_sender=False)
SIGNALS = ("hv_soc_pct", "hv_current_a", "odometer_km", "hvil_ok", "bms_state", "cell_voltages_v", "module_temps_c")
DAY_S = 86_400


def reasons(judgement: Judgement) -> list[Reason]:
    return [rejection.reason for rejection in judgement.rejections[0]]


@st.composite
def flushes(draw: st.DrawFn) -> list[TelemetryBatch]:
    """Batches of different cars with good and bad values at good and bad times."""
    return [draw(batches(f"car-{index}")) for index in range(draw(st.integers(0, 4)))]


@st.composite
def batches(draw: st.DrawFn, vehicle_id: str) -> TelemetryBatch:
    near = st.integers(-40 * DAY_S, DAY_S) | st.integers(-5, 5)
    far = st.sampled_from((-40 * 365 * DAY_S, 700, 300 * 365 * DAY_S))
    seconds = sorted(draw(st.lists(near | far, min_size=1, max_size=6, unique=True)))
    columns = {}
    for name in draw(st.lists(st.sampled_from(SIGNALS), unique=True)):
        signal = CATALOGUE[name]
        width = (draw(st.integers(0, 3)),) if signal.kind is SignalKind.ARRAY else ()
        count = math.prod((len(seconds), *width))
        corners = (np.nan, np.inf, -np.inf, 1e300, signal.minimum - 1, signal.minimum, signal.maximum)
        values = draw(st.lists(st.sampled_from(corners), min_size=count, max_size=count))
        columns[name] = np.array(values, dtype=np.float64).reshape(len(seconds), *width)
    sent_at = draw(st.sampled_from((NOW, NOW, NOW - timedelta(days=35), datetime(1999, 1, 1, tzinfo=UTC))))
    extra = draw(st.sampled_from(({}, {"cup_holder": list(range(len(seconds)))})))
    return a_batch(columns, seconds=seconds, vehicle_id=vehicle_id, sent_at=sent_at, extra=extra)


def slow_judgement(
    batch: TelemetryBatch, limits: TimeLimits
) -> tuple[dict[datetime, dict[str, Any]], Counter[tuple[Reason, str]]]:
    """What is stored of a batch and what is refused, value by value, in plain words."""
    stored: dict[datetime, dict[str, Any]] = {}
    refused: Counter[tuple[Reason, str]] = Counter()
    if batch.sent_at.year < 2000:
        return {}, Counter({(Reason.CLOCK_UNSET, "sent_at"): 1})
    now = batch.sent_at if limits.by_sender else NOW
    for index, time in enumerate(batch.times):
        row: dict[str, Any] = {"cup_holder": batch.extra["cup_holder"][index]} if batch.extra else {}
        for name, values in batch.columns.items():
            wrong: set[Reason] = set()
            kept = []
            for value in np.atleast_1d(values[index]).tolist():
                fits = math.isnan(value) or CATALOGUE[name].minimum <= value <= CATALOGUE[name].maximum
                kept.append(value if fits else math.nan)
                if not fits:
                    wrong.add(Reason.NON_FINITE if math.isinf(value) else Reason.OUT_OF_RANGE)
            refused.update((reason, name) for reason in wrong)
            if not all(math.isnan(value) for value in kept):
                row[name] = kept
        at = moment(time)
        if at.year < 2000:
            refused[Reason.CLOCK_UNSET, "samples"] += 1
        elif at > now + FUTURE:
            refused[Reason.CLOCK_FUTURE, "samples"] += 1
        elif at < now - LATE:
            refused[Reason.TOO_LATE, "samples"] += 1
        else:
            stored[at] = row
    return stored, refused


def stored_rows(judgement: Judgement) -> dict[str, dict[datetime, dict[str, Any]]]:
    rows: dict[str, dict[datetime, dict[str, Any]]] = {}
    for table in judgement.tables:
        for index, time in enumerate(table.times):
            row: dict[str, Any] = msgspec.json.decode(table.extra[index] or b"{}") if table.extra else {}
            for name, values in table.columns.items():
                elements = np.atleast_1d(values[index]).tolist()
                if not all(math.isnan(element) for element in elements):
                    row[name] = elements
            of_vehicle = rows.setdefault(table.vehicle_ids[table.batch[index]], {})
            assert moment(time) not in of_vehicle, "stored twice"
            of_vehicle[moment(time)] = row
    return rows


# Making such flushes takes a busy machine long.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(flush=flushes(), limits=st.sampled_from((BY_SENDER, BY_CLOCK)))
def test_each_value_is_stored_or_told_of(flush: list[TelemetryBatch], limits: TimeLimits) -> None:
    judgement = judge_telemetry(flush, NOW, limits)
    rows = stored_rows(judgement)
    for batch, stored, rejections in zip(flush, judgement.stored, judgement.rejections, strict=True):
        expected_rows, expected_refusals = slow_judgement(batch, limits)
        assert written(rows.get(batch.vehicle_id, {})) == written(expected_rows)
        assert stored.rows == len(expected_rows)
        assert (stored.first_at, stored.last_at) == (
            min(expected_rows, default=None),
            max(expected_rows, default=None),
        )
        told = Counter({(r.reason, named_in(r.detail)): count_in(r.detail) for r in rejections})
        assert told == expected_refusals


def written(rows: dict[datetime, dict[str, Any]]) -> str:
    """As text, because NaN is unequal to itself."""
    return repr([(at, sorted(row.items())) for at, row in sorted(rows.items())])


def named_in(detail: str) -> str:
    if detail.startswith("sent_at"):
        return "sent_at"
    return next((name for name in SIGNALS if name in detail), "samples")


def count_in(detail: str) -> int:
    return 1 if detail.startswith("sent_at") else int(detail.split(maxsplit=1)[0])


@pytest.mark.parametrize(
    ("sent_at", "limits", "reason"),
    [
        (datetime(1999, 12, 31, tzinfo=UTC), BY_SENDER, Reason.CLOCK_UNSET),
        (datetime(2100, 1, 1, tzinfo=UTC), BY_SENDER, Reason.CLOCK_FUTURE),
        (NOW + FUTURE + timedelta(seconds=1), BY_CLOCK, Reason.CLOCK_FUTURE),
    ],
)
def test_a_sender_without_a_believable_clock_stores_nothing(
    sent_at: datetime, limits: TimeLimits, reason: Reason
) -> None:
    judgement = judge_telemetry([a_batch({"hv_soc_pct": [50]}, sent_at=sent_at)], NOW, limits)
    assert reasons(judgement) == [reason]
    assert judgement.stored[0].rows == 0
    kept, rejections = judge_events(some_events(NOW, sent_at=sent_at), NOW, limits)
    assert (kept.events, [r.reason for r in rejections]) == ((), [reason])


def test_a_sender_that_was_away_for_long_is_judged_by_its_own_clock_in_data_time() -> None:
    long_ago = NOW - timedelta(days=2000)
    batch = a_batch({"hv_soc_pct": [50]}, seconds=[-2000 * DAY_S], sent_at=long_ago)
    assert judge_telemetry([batch], NOW, BY_SENDER).stored[0].rows == 1
    assert reasons(judge_telemetry([batch], NOW, BY_CLOCK)) == [Reason.TOO_LATE]


def test_a_bad_value_rejects_that_value_only() -> None:
    batch = a_batch({"hv_soc_pct": [50, 101, np.inf], "speed_kmh": [1, 2, 3]})
    judgement = judge_telemetry([batch], NOW, BY_SENDER)
    assert judgement.stored[0].rows == 3
    np.testing.assert_array_equal(judgement.tables[0].columns["hv_soc_pct"], [50, np.nan, np.nan])
    np.testing.assert_array_equal(judgement.tables[0].columns["speed_kmh"], [1, 2, 3])
    assert sorted(reasons(judgement)) == [Reason.NON_FINITE, Reason.OUT_OF_RANGE]
    assert "1 of 3 values of hv_soc_pct" in judgement.rejections[0][0].detail


@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_the_ends_of_a_range_are_in_it_as_the_column_rounds_them(end: str) -> None:
    ends = {
        name: np.array([getattr(signal, end)], np.float32).astype(np.float64)
        for name, signal in CATALOGUE.items()
        if signal.column_type == "real"
    }
    judgement = judge_telemetry([a_batch(ends, seconds=[0])], NOW, BY_CLOCK)
    assert not reasons(judgement)


def test_the_batch_itself_is_left_as_it_was() -> None:
    batch = a_batch({"hv_soc_pct": [50, 101]})
    judge_telemetry([batch], NOW, BY_SENDER)
    np.testing.assert_array_equal(batch.columns["hv_soc_pct"], [50, 101])


def test_unknown_signals_that_json_cannot_hold_are_refused_alone() -> None:
    extra = {"odd": [msgspec.msgpack.Ext(1, b"x")]}
    judgement = judge_telemetry([a_batch({"hv_soc_pct": [50]}, extra=extra)], NOW, BY_SENDER)
    assert reasons(judgement) == [Reason.WRONG_TYPE]
    assert judgement.stored[0].rows == 1
    assert not judgement.tables[0].extra


def some_events(*moments: datetime, sent_at: datetime = NOW) -> EventBatch:
    events = tuple(Event(at, EventKind.DRIVE_START) for at in moments)
    return EventBatch("car-1", "0" * 16, 1, sent_at, events)


@given(offsets=st.lists(st.integers(-40 * DAY_S, 2 * 3600), max_size=8))
def test_each_event_is_kept_or_counted(offsets: list[int]) -> None:
    moments = [NOW + timedelta(seconds=offset) for offset in offsets]
    kept, rejections = judge_events(some_events(*moments), NOW, BY_CLOCK)
    assert [event.at for event in kept.events] == [at for at in moments if NOW - LATE <= at <= NOW + FUTURE]
    assert len(kept.events) + sum(count_in(r.detail) for r in rejections) == len(moments)


@pytest.mark.parametrize(
    "details", [{}, {"firmware_version": 2026.8}, {"firmware_version": " "}, {"version": "2026.8"}]
)
def test_a_car_that_does_not_name_its_software_is_refused_that_event(details: dict[str, Any]) -> None:
    named = Event(NOW, EventKind.SOFTWARE, None, {"firmware_version": "2026.8"})
    batch = EventBatch("car-1", "0" * 16, 1, NOW, (Event(NOW, EventKind.SOFTWARE, None, details), named))
    kept, rejections = judge_events(batch, NOW, BY_CLOCK)
    assert (kept.events, [one.reason for one in rejections]) == ((named,), [Reason.WRONG_TYPE])
