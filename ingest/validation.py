"""Which samples and events of readable batches can be stored: pure, and for many batches at once.

What is refused is refused as finely as it can be: a value that no sensor can show becomes `not sampled`, a
sample at an impossible time is left out, and the rest of its batch is stored. Each refusal gives a rejection of
the batch, so that its whole payload is also kept in quarantine. Nothing else is changed: what is neither
refused nor stored does not exist.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from storage.telemetry_copy import SampleTable
from vehicle.batch import Event, EventBatch, EventKind, TelemetryBatch
from vehicle.column_block import ColumnBlock, joined_scalars
from vehicle.moment import instant, instants, moment, moments
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import CATALOGUE, Signal
from vehicle.software import version_in

CLOCK_SET: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A vehicle whose clock shows less has none."""
LAST_MOMENT: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""No sender's clock is believed from here on, not even where it is the only clock."""


def _limits(signal: Signal) -> tuple[float, float]:
    """The range of a signal, whose ends are in it as well if they are rounded to its column's 24 bits."""
    least, greatest = signal.minimum, signal.maximum
    if signal.column_type in ("real", "real[]"):
        least, greatest = min(least, float(np.float32(least))), max(greatest, float(np.float32(greatest)))
    return least, greatest


_LIMITS: Final = {name: _limits(signal) for name, signal in CATALOGUE.items()}
_PLACES: Final = {name: place for place, name in enumerate(CATALOGUE)}
_JSON: Final = msgspec.json.Encoder()
_NOT_JSON: Final = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
"""What encoding raises for what JSON cannot hold."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How far a sample's time may lie from the present."""

    late: timedelta
    future: timedelta
    by_sender: bool
    """The present of a batch is its own `sent_at`, as the data clock asks; otherwise the stack's present."""


class Stored(NamedTuple):
    """What of one batch can be stored."""

    rows: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(slots=True)
class Judgement:
    """What of some batches can be stored, and what not; lists run parallel to the batches."""

    tables: list[SampleTable] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    rejections: list[list[Rejection]] = field(default_factory=list)


def believable(sent_at: datetime) -> bool:
    """Whether a sender's clock that shows this can have been set."""
    return CLOCK_SET <= sent_at < LAST_MOMENT


def judge_sender(sent_at: datetime, present: datetime, limits: TimeLimits) -> Rejection | None:
    """Why nothing that was sent at this time by the sender's clock can be believed."""
    if sent_at < CLOCK_SET:
        return Rejection(RejectionReason.CLOCK_UNSET, "sent_at lies before 2000")
    if sent_at >= LAST_MOMENT:
        return Rejection(RejectionReason.CLOCK_FUTURE, "sent_at does not lie before 2100")
    if not limits.by_sender and sent_at > present + limits.future:
        return Rejection(RejectionReason.CLOCK_FUTURE, "sent_at lies ahead of the clock")
    return None


def judge_telemetry(batches: Sequence[TelemetryBatch], present: datetime, limits: TimeLimits) -> Judgement:
    """Turn batches into tables of the samples that can be stored, alike batches in one table, in their order."""
    judgement = Judgement(stored=[Stored()] * len(batches), rejections=[[] for _ in batches])
    blocks = [ColumnBlock.of(batch.columns, len(batch.times)) for batch in batches]
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index, batch in enumerate(batches):
        refused = judge_sender(batch.sent_at, present, limits)
        if refused is None:
            alike[_shape(batch, blocks[index])].append(index)
        else:
            judgement.rejections[index].append(refused)
    for indices in alike.values():
        table = _Table([batches[index] for index in indices], [blocks[index] for index in indices])
        table.judge_times(present, limits)
        table.judge_values()
        for index, stored, rejections in zip(indices, table.stored(), table.rejections, strict=True):
            judgement.stored[index] = stored
            judgement.rejections[index] += rejections
        judgement.tables.append(table.samples())
    return judgement


def judge_events(batch: EventBatch, present: datetime, limits: TimeLimits) -> tuple[EventBatch, list[Rejection]]:
    """The batch with those of its events that can be stored, and why the others cannot."""
    refused = judge_sender(batch.sent_at, present, limits)
    if refused is not None:
        return replace(batch, events=()), [refused]
    now = batch.sent_at if limits.by_sender else present
    kept: list[Event] = []
    reasons: dict[RejectionReason, int] = defaultdict(int)
    for event in batch.events:
        reason = _time_reason(event.at, now, limits)
        details = _as_json(event.details) if reason is None else None
        if details is None or (event.kind is EventKind.SOFTWARE and version_in(details) is None):
            reasons[reason or RejectionReason.WRONG_TYPE] += 1
        else:
            kept.append(replace(event, details=details))
    rejections = [_some(reason, count, len(batch.events), "events") for reason, count in reasons.items()]
    return replace(batch, events=tuple(kept)), rejections


def _as_json(details: dict[str, Any]) -> dict[str, Any] | None:
    """The details as JSON has them; None if it cannot: MessagePack knows types and keys that JSON does not."""
    try:
        plain: dict[str, Any] = msgspec.json.decode(_JSON.encode(details))
    except _NOT_JSON:
        return None
    return plain


def _time_reason(at: datetime, now: datetime, limits: TimeLimits) -> RejectionReason | None:
    if at < CLOCK_SET:
        return RejectionReason.CLOCK_UNSET
    if at > now + limits.future:
        return RejectionReason.CLOCK_FUTURE
    return RejectionReason.TOO_LATE if at < now - limits.late else None


def _some(reason: RejectionReason, count: int, total: int, what: str) -> Rejection:
    return Rejection(reason, f"{count} of {total} {what}")


def _shape(batch: TelemetryBatch, block: ColumnBlock) -> tuple[Any, ...]:
    """What batches of one table have in common: arrays and their lengths, unknown signals or not, whose times."""
    if not block.arrays:
        return (bool(batch.extra), batch.time_received)
    arrays = sorted((name, values.shape[1]) for name, values in block.arrays.items())
    return (bool(batch.extra), batch.time_received, *((name, width) for name, width in arrays if width))


def _joined(blocks: Sequence[ColumnBlock], starts: NDArray[np.intp]) -> tuple[list[str], NDArray[np.float64]]:
    """The scalar columns of all blocks: the names, and values of shape (names, samples); NaN where one has it not.

    Args:
        blocks: In the order of their samples.
        starts: Where the samples of each block begin, and where those of the last one end.
    """
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, block in enumerate(blocks):
        alike[block.names].append(index)
    if len(alike) == 1:
        return list(blocks[0].names), joined_scalars(blocks)
    names = sorted(set().union(*alike), key=_PLACES.__getitem__)
    values = np.full((len(names), int(starts[-1])), np.nan)
    for own_names, indices in alike.items():
        rows = np.array([names.index(name) for name in own_names], np.intp)
        samples = np.concatenate([np.arange(starts[index], starts[index + 1]) for index in indices])
        if len(rows):
            values[np.ix_(rows, samples)] = joined_scalars([blocks[index] for index in indices])
    return names, values


class _Table:
    """Batches of one shape as columns, in the course of being judged."""

    def __init__(self, batches: Sequence[TelemetryBatch], blocks: Sequence[ColumnBlock]) -> None:
        self._batches = batches
        self._counts = np.array([len(batch.times) for batch in batches])
        self._starts = np.concatenate([[0], np.cumsum(self._counts)])
        self._batch = np.repeat(np.arange(len(batches)), self._counts)
        self._times = np.concatenate([batch.times for batch in batches]).astype("datetime64[us]")
        self._names, self._scalars = _joined(blocks, self._starts)
        widths = {name: values.shape[1] for block in blocks for name, values in block.arrays.items() if values.size}
        self._arrays = {
            name: np.concatenate(
                [
                    block.arrays[name] if name in block.arrays else np.full((count, width), np.nan)
                    for block, count in zip(blocks, self._counts.tolist(), strict=True)
                ]
            )
            for name, width in widths.items()
        }
        self._accepted = np.ones(len(self._times), np.bool_)
        self.rejections: list[list[Rejection]] = [[] for _ in batches]
        self._extra = [text for index in range(len(batches)) for text in self._extras(index)]

    def judge_times(self, present: datetime, limits: TimeLimits) -> None:
        """Leave out the samples at impossible times."""
        if limits.by_sender:
            now = instants([batch.sent_at for batch in self._batches])[self._batch]
        else:
            now = np.full(len(self._times), instant(present))
        unset = self._times < instant(CLOCK_SET)
        future = self._times > now + np.timedelta64(limits.future)
        late = (self._times < now - np.timedelta64(limits.late)) & ~unset
        for reason, wrong in (
            (RejectionReason.CLOCK_UNSET, unset),
            (RejectionReason.CLOCK_FUTURE, future),
            (RejectionReason.TOO_LATE, late),
        ):
            if wrong.any():
                self._accepted &= ~wrong
                for index, count in self._count_per_batch(wrong):
                    self._reject(index, _some(reason, count, int(self._counts[index]), "samples"))

    def judge_values(self) -> None:
        """Take values that their sensor cannot show for `not sampled`."""
        limits = np.array([_LIMITS[name] for name in self._names], np.float64).reshape(-1, 2, 1)
        wrong = (self._scalars < limits[:, 0]) | (self._scalars > limits[:, 1])
        for row in np.flatnonzero(wrong.any(axis=1)).tolist():
            self._refuse_values(CATALOGUE[self._names[row]], self._scalars[row], wrong[row])
        for name, values in self._arrays.items():
            least, greatest = _LIMITS[name]
            beyond = (values < least) | (values > greatest)
            if beyond.any():
                self._refuse_values(CATALOGUE[name], values, beyond)

    def stored(self) -> list[Stored]:
        """What remains of each batch."""
        if self._accepted.all():
            firsts, lasts = moments(self._times[self._starts[:-1]]), moments(self._times[self._starts[1:] - 1])
            return list(map(Stored, self._counts.tolist(), firsts, lasts))
        accepted = [self._times[self._accepted & (self._batch == index)] for index in range(len(self._batches))]
        return [
            Stored(len(times), moment(times[0]), moment(times[-1])) if len(times) else Stored() for times in accepted
        ]

    def samples(self) -> SampleTable:
        """The samples that remain."""
        kept: Any = slice(None) if self._accepted.all() else self._accepted
        extra = [text for text, accepted in zip(self._extra, self._accepted, strict=False) if accepted]
        return SampleTable(
            vehicle_ids=[batch.vehicle_id for batch in self._batches],
            batch=self._batch[kept],
            times=self._times[kept],
            columns=dict(zip(self._names, self._scalars[:, kept], strict=True))
            | {name: values[kept] for name, values in self._arrays.items()},
            extra=extra if any(extra) else (),
            time_received=self._batches[0].time_received,
        )

    def _extras(self, index: int) -> Iterable[bytes | None]:
        """What the catalogue does not know, as one JSON object a sample."""
        extra = self._batches[index].extra
        if not extra:
            return ()
        objects = [
            {name: value for name, value in zip(extra, values, strict=True) if value is not None}
            for values in zip(*extra.values(), strict=True)
        ]
        try:
            return [_JSON.encode(each) if each else None for each in objects]
        except _NOT_JSON as error:
            self._reject(index, Rejection(RejectionReason.WRONG_TYPE, f"signals not in the catalogue: {error}"))
            return [None] * len(objects)

    def _count_per_batch(self, wrong: NDArray[np.bool_]) -> list[tuple[int, int]]:
        counts = np.bincount(self._batch[wrong], minlength=len(self._batches))
        return [(index, int(counts[index])) for index in np.flatnonzero(counts).tolist()]

    def _refuse_values(self, signal: Signal, values: NDArray[np.float64], wrong: NDArray[np.bool_]) -> None:
        """Reject the batches of the wrong ones among one signal's values, and forget these."""
        infinite = np.isinf(values)
        self._reject_values(signal, RejectionReason.NON_FINITE, wrong & infinite)
        self._reject_values(signal, RejectionReason.OUT_OF_RANGE, wrong & ~infinite)
        values[wrong] = np.nan

    def _reject_values(self, signal: Signal, reason: RejectionReason, wrong: NDArray[np.bool_]) -> None:
        rows = wrong if wrong.ndim == 1 else np.logical_or.reduce(wrong, axis=1)
        for index, count in self._count_per_batch(rows):
            what = f"values of {signal.name}, which shows {signal.minimum:g} to {signal.maximum:g}"
            self._reject(index, _some(reason, count, int(self._counts[index]), what))

    def _reject(self, index: int, rejection: Rejection) -> None:
        self.rejections[index].append(rejection)
