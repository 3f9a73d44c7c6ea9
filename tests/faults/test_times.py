"""Scenarios 28 and 31: samples from the future and from long ago are kept, but make no chunk; late ones are stored."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pytest

from tests.support.faults.contents import Contents, as_sent
from tests.support.faults.load import EVENTS_EVERY, a_message, boot_of, vehicle_id
from tests.support.faults.sent import key_of, payload_of
from vehicle.batch import Event, EventBatch, EventKind, TelemetryBatch
from vehicle.moment import instant
from vehicle.rejection import RejectionReason as Reason

pytestmark = pytest.mark.integration
Runs = Callable[..., AbstractContextManager[Contents]]

CARS: Final = tuple(map(vehicle_id, range(10)))
CAR: Final = CARS[0]
DAY: Final = timedelta(days=1)
AHEAD: Final = (timedelta(minutes=11), timedelta(hours=1), timedelta(days=365), timedelta(days=20 * 365))
LAST_YEAR: Final = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
NEVER_SET: Final = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1999, 12, 31, 23, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
)
LATE: Final = (timedelta(days=31), timedelta(days=365), timedelta(days=20 * 365))


def now() -> datetime:
    """To the second: times on the wire lie whole milliseconds apart."""
    return datetime.now(UTC).replace(microsecond=0)


class Batches:
    """Batches of cars that take turns, one after another, at times that a test chooses."""

    def __init__(self, seed: int, cars: int = 1) -> None:
        self._seed = seed
        seqs = (seq for seq in itertools.count(1) if seq % EVENTS_EVERY)
        self._names = ((car, seq) for seq in seqs for car in range(cars))

    def at(self, first: datetime, sent_at: datetime, step: timedelta = timedelta(seconds=1)) -> TelemetryBatch:
        """Five samples from `first` on."""
        batch = a_message(self._seed, *self._next())
        assert isinstance(batch, TelemetryBatch)
        times = instant(first) + np.arange(len(batch.times)) * np.timedelta64(step)
        return replace(batch, times=times, sent_at=sent_at)

    def days(self, count: int, first: datetime, sent_at: datetime) -> TelemetryBatch:
        """A sample a day."""
        car, _, seq = self._next()
        times = instant(first) + np.arange(count) * np.timedelta64(DAY)
        columns = {"hv_soc_pct": np.full(count, 50.0)}
        return TelemetryBatch(vehicle_id(car), boot_of(self._seed, 1), seq, sent_at, times, columns)

    def event(self, at: datetime, sent_at: datetime) -> EventBatch:
        car, _, seq = self._next()
        happened = (Event(at, EventKind.DRIVE_START),)
        return EventBatch(vehicle_id(car), boot_of(self._seed, 1), seq, sent_at, happened)

    def _next(self) -> tuple[int, int, int]:
        car, seq = next(self._names)
        return car, 1, seq


def impossible(batches: Batches, present: datetime) -> Iterator[tuple[TelemetryBatch | EventBatch, Reason]]:
    """Messages at times that cannot be, by the sample's time or by the sender's clock."""
    for ahead in AHEAD:
        yield batches.at(present + ahead, present), Reason.CLOCK_FUTURE
        yield batches.at(present, present + ahead), Reason.CLOCK_FUTURE
        yield batches.at(present + ahead, present + ahead), Reason.CLOCK_FUTURE
        yield batches.event(present + ahead, present), Reason.CLOCK_FUTURE
        yield batches.event(present, present + ahead), Reason.CLOCK_FUTURE
    yield batches.at(LAST_YEAR, present), Reason.CLOCK_FUTURE
    yield batches.at(LAST_YEAR, LAST_YEAR), Reason.CLOCK_FUTURE
    yield batches.days(1000, present + DAY, present), Reason.CLOCK_FUTURE
    yield batches.days(1000, present + DAY, present + 1001 * DAY), Reason.CLOCK_FUTURE
    for number in range(100):
        yield batches.at(present + (1 + 10 * number) * DAY, present, DAY), Reason.CLOCK_FUTURE
    for unset in NEVER_SET:
        yield batches.at(unset, present), Reason.CLOCK_UNSET
        yield batches.at(present, unset), Reason.CLOCK_UNSET
        yield batches.event(unset, unset), Reason.CLOCK_UNSET
    for age in LATE:
        yield batches.at(present - age, present), Reason.TOO_LATE
        yield batches.event(present - age, present), Reason.TOO_LATE


@pytest.mark.scenario("28 impossible times", quick=1, full=5)
def test_impossible_times_make_no_chunk(seed: int, contents: Runs) -> None:
    with contents(CAR, wall=True) as run:
        batches, present = Batches(seed), now()
        good = batches.at(present - timedelta(minutes=1), present)
        run.sent.add([good])
        run.send([as_sent(good)])
        chunks, rows = run.chunks(), run.query("SELECT * FROM telemetry ORDER BY time")
        assert chunks
        wrong = list(impossible(batches, present))
        for batch, _ in wrong:
            run.sent.add_bad(payload_of(batch), key_of(batch))
        order = np.random.default_rng(seed).permutation(len(wrong))
        run.send([as_sent(wrong[place][0]) for place in order])
        assert run.chunks() == chunks
        assert run.query("SELECT * FROM telemetry ORDER BY time") == rows
        reasons = run.reasons()
        assert all(reasons[payload_of(batch)] == {reason} for batch, reason in wrong)
        counts = {row.payload: row.detail for row in run.kept()}
        assert all(
            "1000 of 1000" in counts[payload_of(b)]
            for b, _ in wrong
            if isinstance(b, TelemetryBatch) and len(b.times) == 1000 and b.sent_at == present
        )
        run.account(f"{len(wrong)} impossible")


@pytest.mark.scenario("28 a little ahead", quick=0, full=1)
def test_what_lies_a_little_ahead_is_stored(seed: int, contents: Runs) -> None:
    """Nine minutes are taken; of a batch that crosses the limit, what lies before it."""
    with contents(CAR, wall=True) as run:
        batches, present = Batches(seed), now()
        ahead = timedelta(minutes=9)
        minute = timedelta(minutes=1)
        whole = [batches.at(present + ahead, present), batches.at(present + ahead - minute, present + ahead)]
        happened = batches.event(present + ahead, present + ahead)
        crossing = batches.at(present + ahead - 2 * minute, present, 4 * minute)
        run.sent.add([*whole, happened])
        run.sent.add_partly_good(key_of(crossing), payload_of(crossing), first(crossing, 1))
        run.send([*map(as_sent, whole), as_sent(happened), as_sent(crossing)])
        [kept] = run.kept()
        assert (kept.reason, kept.payload) == (Reason.CLOCK_FUTURE, payload_of(crossing))
        assert kept.detail.startswith("4 of 5")
        run.account()


def first(batch: TelemetryBatch, count: int) -> TelemetryBatch:
    """The batch with its first samples only."""
    columns = {name: values[:count] for name, values in batch.columns.items()}
    return replace(batch, times=batch.times[:count], columns=columns)


@pytest.mark.scenario("31 late and shuffled", quick=1, full=20)
def test_late_days_in_any_order_beside_live_data(seed: int, contents: Runs) -> None:
    rng = np.random.default_rng(seed)
    with contents(*CARS, wall=True) as run:
        batches, present = Batches(seed, len(CARS)), now()
        minutes = rng.permutation(3 * 24 * 6) * 10
        late = [batches.at(present - timedelta(minutes=15 + int(m)), present) for m in minutes]
        live = [batches.at(present - timedelta(seconds=5 * n), present) for n in range(len(late) // 4)]
        run.sent.add([*late, *live])
        everything = [*late, *live]
        run.send([as_sent(everything[place]) for place in rng.permutation(len(everything))])
        chunks = run.chunks()
        assert not run.kept()
        ancient = [batches.at(present - 31 * DAY - timedelta(minutes=n), present) for n in range(200)]
        for batch in ancient:
            run.sent.add_bad(payload_of(batch), key_of(batch))
        run.send([as_sent(batch) for batch in ancient])
        assert run.chunks() == chunks
        assert {row.reason for row in run.kept()} == {Reason.TOO_LATE}
        run.account(f"{len(late)} late, {len(live)} live, {len(ancient)} too late")
