"""What is to be done with each message of a flush, given what the ledger knows; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.incoming import Incoming
from ingest.validation import TimeLimits, believable, judge_events, judge_telemetry
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from storage.telemetry_copy import SampleTable
from vehicle.batch import EventBatch, Hello, TelemetryBatch
from vehicle.rejection import Rejection, RejectionReason

Refusal = tuple[Incoming, Rejection]
"""A message, or a part of one, that is not stored, and why; of a message at most one for each reason."""

_CONFLICT = Rejection(
    RejectionReason.ID_CONFLICT, "another payload is stored under this vehicle, boot and sequence number"
)


@dataclass(slots=True)
class Sorted:
    """A flush by what is to be done; every message stands in exactly one of the first four."""

    new: dict[BatchKey, Incoming] = field(default_factory=dict)
    """To be entered in the ledger; what they hold may be a rejection."""
    duplicates: list[Incoming] = field(default_factory=list)
    """Stored already, byte for byte."""
    hellos: list[tuple[str, Hello]] = field(default_factory=list)
    """Each with the vehicle that the topic names."""
    refused: list[Refusal] = field(default_factory=list)
    """Neither new nor stored: refused without a key, or another payload under a key that is taken."""
    arrived_after_all: list[BatchKey] = field(default_factory=list)
    """Those of `new` that their vehicle had declared dropped."""


@dataclass(slots=True)
class Plan:
    """What a transaction writes of the new batches."""

    tables: Sequence[SampleTable] = ()
    events: list[EventBatch] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass(slots=True)
class Work:
    """A flush, sorted out and judged."""

    flush: Sequence[Incoming]
    batches: Sorted
    plan: Plan
    refused: list[Refusal]
    """All that goes to quarantine."""


@dataclass(slots=True)
class Remainder:
    """A flush without the messages for which quarantine has no room."""

    flush: list[Incoming] = field(default_factory=list)
    withheld: int = 0
    """Messages whose vehicles keep them, because nothing of their batch is stored."""
    discarded: int = 0
    """Messages that nobody sends again: without a key, or under a key that is taken."""


def make_work(
    flush: Sequence[Incoming],
    known: Mapping[BatchKey, bytes | None],
    present: datetime,
    limits: TimeLimits,
    unstorable: Sequence[Refusal] = (),
) -> Work:
    """Find out what is to be done with a flush, besides refusing what was found to be unstorable in it."""
    batches = sort_out(flush, known)
    plan = make_plan(batches.new, present, limits)
    refused = [*batches.refused, *plan.refused]
    if unstorable:
        there = {id(incoming.message) for incoming in flush}
        refused += [refusal for refusal in unstorable if id(refusal[0].message) in there]
    return Work(flush, batches, plan, refused)


def sort_out(flush: Iterable[Incoming], known: Mapping[BatchKey, bytes | None]) -> Sorted:
    """Tell new batches from those that the ledger, or this flush, has already."""
    result = Sorted()
    for incoming in flush:
        key, content = incoming.key, incoming.content
        if key is not None:
            _sort_batch(result, incoming, key, known)
        elif isinstance(content, Hello) and incoming.vehicle_id is not None:
            result.hellos.append((incoming.vehicle_id, content))
        elif isinstance(content, Rejection):
            result.refused.append((incoming, content))
    return result


def _sort_batch(result: Sorted, incoming: Incoming, key: BatchKey, known: Mapping[BatchKey, bytes | None]) -> None:
    stored = result.new[key].sha256 if key in result.new else known.get(key)
    if stored == incoming.sha256:
        result.duplicates.append(incoming)
    elif stored is not None:
        result.refused.append((incoming, _CONFLICT))
    else:
        result.new[key] = incoming
        if key in known:
            result.arrived_after_all.append(key)


def keys_of(flush: Iterable[Incoming]) -> list[BatchKey]:
    """The batches of a flush, each once and in order."""
    return sorted({incoming.key for incoming in flush if incoming.key is not None})


def latest_sent_at(flush: Iterable[Incoming]) -> datetime | None:
    """The latest believable time that a sender's clock shows; a time of arrival is no sender's."""
    batches = (i.content for i in flush if isinstance(i.content, TelemetryBatch | EventBatch))
    times = (batch.sent_at for batch in batches if not batch.time_received)
    return max(filter(believable, times), default=None)


def make_plan(new: Mapping[BatchKey, Incoming], present: datetime, limits: TimeLimits) -> Plan:
    """Judge new batches, ordered by vehicle, boot and seq so that a vehicle's rows come to lie together."""
    result = Plan()
    ordered = sorted(new.items())
    telemetry = [(k, i, i.content) for k, i in ordered if isinstance(i.content, TelemetryBatch)]
    judgement = judge_telemetry([batch for _, _, batch in telemetry], present, limits)
    result.tables = judgement.tables
    for (key, incoming, batch), stored, rejections in zip(
        telemetry, judgement.stored, judgement.rejections, strict=True
    ):
        if rejections:
            result.refused += _refusals(incoming, rejections)
        kind = BatchKind.TELEMETRY if stored.rows else BatchKind.QUARANTINE
        result.entries.append(
            LedgerEntry(
                key,
                kind,
                present,
                incoming.sha256,
                rows=stored.rows,
                first_at=stored.first_at,
                last_at=stored.last_at,
                sent_at=batch.sent_at if stored.rows else None,
                time_received=batch.time_received,
            )
        )
    for key, incoming in ordered:
        if isinstance(incoming.content, EventBatch):
            kept, rejections = judge_events(incoming.content, present, limits)
            result.refused += _refusals(incoming, rejections)
            result.events.append(kept)
            result.entries.append(_events_entry(key, incoming, kept, present, refused=bool(rejections)))
        elif isinstance(incoming.content, Rejection):
            result.refused.append((incoming, incoming.content))
            result.entries.append(LedgerEntry(key, BatchKind.QUARANTINE, present, incoming.sha256))
    return result


def leave_out(flush: Iterable[Incoming], unplaced: Iterable[Incoming], new: Mapping[BatchKey, Incoming]) -> Remainder:
    """The flush without the messages that have no place, and without all others under the key of a new one of them."""
    keys: set[BatchKey | None] = set()
    lost: set[int] = set()
    for incoming in unplaced:
        entered = None if incoming.key is None else new.get(incoming.key)
        if entered is not None and entered.sha256 == incoming.sha256 and not _is_ours(entered):
            keys.add(incoming.key)
        else:
            lost.add(id(incoming.message))
    result = Remainder()
    for incoming in flush:
        if incoming.key in keys:
            result.withheld += 1
        elif id(incoming.message) in lost:
            result.discarded += 1
        else:
            result.flush.append(incoming)
    return result


def _is_ours(incoming: Incoming) -> bool:
    """Whether ingest has made the batch itself, of what a foreign car told: nobody has it to send it again."""
    return isinstance(incoming.content, TelemetryBatch | EventBatch) and incoming.content.time_received


def _refusals(incoming: Incoming, rejections: Sequence[Rejection]) -> list[Refusal]:
    details: dict[RejectionReason, list[str]] = defaultdict(list)
    for rejection in rejections:
        details[rejection.reason].append(rejection.detail)
    return [(incoming, Rejection(reason, "; ".join(each))) for reason, each in details.items()]


def _events_entry(
    key: BatchKey, incoming: Incoming, kept: EventBatch, present: datetime, *, refused: bool
) -> LedgerEntry:
    times = [event.at for event in kept.events]
    wholly_refused = refused and not times
    return LedgerEntry(
        key,
        BatchKind.QUARANTINE if wholly_refused else BatchKind.EVENT,
        present,
        incoming.sha256,
        rows=len(times),
        first_at=min(times, default=None),
        last_at=max(times, default=None),
        sent_at=None if wholly_refused else kept.sent_at,
        time_received=kept.time_received,
    )
