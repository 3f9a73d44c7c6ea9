"""What is to be done with each message of a flush, given what the ledger knows; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.incoming import Incoming
from ingest.validation import TimeLimits, believable, judge_events, judge_telemetry
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from storage.telemetry_copy import SampleTable
from vehicle.batch import EventBatch, Hello, TelemetryBatch
from vehicle.rejection import Rejection, RejectionReason

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
    refused: list[tuple[Incoming, Rejection]] = field(default_factory=list)
    """Neither new nor stored: refused without a key, or another payload under a key that is taken."""
    arrived_after_all: list[BatchKey] = field(default_factory=list)
    """Those of `new` that their vehicle had declared dropped."""


@dataclass(slots=True)
class Plan:
    """What a transaction writes of the new batches."""

    tables: Sequence[SampleTable] = ()
    events: list[EventBatch] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    refused: list[tuple[Incoming, Rejection]] = field(default_factory=list)


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


def latest_sent_at(flush: Iterable[Incoming]) -> datetime | None:
    """The latest believable time that a sender's clock shows."""
    times = (i.content.sent_at for i in flush if isinstance(i.content, TelemetryBatch | EventBatch))
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
        result.refused += [(incoming, rejection) for rejection in rejections]
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
            )
        )
    for key, incoming in ordered:
        if isinstance(incoming.content, EventBatch):
            kept, rejections = judge_events(incoming.content, present, limits)
            result.refused += [(incoming, rejection) for rejection in rejections]
            result.events.append(kept)
            result.entries.append(_events_entry(key, incoming, kept, present, refused=bool(rejections)))
        elif isinstance(incoming.content, Rejection):
            result.refused.append((incoming, incoming.content))
            result.entries.append(LedgerEntry(key, BatchKind.QUARANTINE, present, incoming.sha256))
    return result


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
    )
