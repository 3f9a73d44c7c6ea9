"""The native wire format: columnar batches, events, hello and stored-ack, as JSON or MessagePack.

Decoding never raises: bytes from outside become a value or a `Rejection`. Encoding writes what decoding reads, to the
last bit that the signal's column in the database has: JSON to that of a float64, MessagePack as `pack_column` says.
"""

import operator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from vehicle.batch import Event, EventBatch, EventKind, Hello, StoredAck, TelemetryBatch
from vehicle.codec import (
    JSON,
    MESSAGEPACK,
    WIRE_VERSION,
    Boot,
    Moment,
    Seq,
    Versioned,
    decode,
    decode_versioned,
    encode,
    told,
)
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.columns import (
    ColumnError,
    pack_column,
    read_column,
    read_columns,
    read_unknown,
    wire_type,
    write_column,
)
from vehicle.moment import microseconds, moment
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import CATALOGUE

MAX_EXTRA_SIGNALS: Final = 64
"""Signals outside the catalogue in one batch; a sender with more is broken."""
_MAX_SPAN_MS: Final = 10 * 366 * 86_400_000

_FIRST_INSTANT: Final = microseconds(datetime.min.replace(tzinfo=UTC))
_LAST_INSTANT: Final = microseconds(datetime.max.replace(tzinfo=UTC))


class _Message(Versioned):
    """What every message of a vehicle says of itself."""

    vehicle_id: str
    boot: Boot
    sent_at: Moment


class _Samples(_Message):
    seq: Seq
    t0: Moment
    dt_ms: list[int]


class _Telemetry(_Samples):
    """A batch whose signals are read one by one, so as to keep the unknown and to name the wrong."""

    s: dict[str, msgspec.Raw]


def _known_telemetry(content_type: str) -> Any:
    """A batch of which the catalogue knows every signal; read in one go."""
    fields = [
        (signal.name, wire_type(signal.kind, content_type) | msgspec.UnsetType, msgspec.UNSET)
        for signal in CATALOGUE.values()
    ]
    columns: Any = msgspec.defstruct("_Columns", fields, forbid_unknown_fields=True)
    return msgspec.defstruct("_KnownTelemetry", [("s", columns)], bases=(_Samples,))


_KNOWN_TELEMETRY: Final = {content_type: _known_telemetry(content_type) for content_type in (JSON, MESSAGEPACK)}


class _Event(msgspec.Struct, omit_defaults=True):
    at: Moment
    kind: EventKind
    code: str | None = None
    status: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    details: dict[str, Any] = {}


class _Events(_Message):
    seq: Seq
    events: list[_Event]


class _Hello(_Message):
    software: str
    catalogue_version: str
    dropped: list[tuple[Boot, Seq, Seq]] = msgspec.field(default_factory=list)


class _Ack(msgspec.Struct):
    boot: Boot
    through: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    missing: list[tuple[Seq, Seq]] = []


def encode_telemetry(batch: TelemetryBatch, content_type: str = MESSAGEPACK) -> bytes:
    """The payload of one batch.

    Raises:
        ValueError: if a time is not a whole number of milliseconds after the first.
    """
    elapsed_us = (batch.times - batch.times[0]).astype(np.int64)
    if np.any(elapsed_us % 1000):
        raise ValueError("sample times must lie whole milliseconds after the first")
    write = pack_column if content_type == MESSAGEPACK else write_column
    columns: dict[str, Any] = {name: write(values, CATALOGUE[name]) for name, values in batch.columns.items()}
    message = {
        "v": WIRE_VERSION,
        "vehicle_id": batch.vehicle_id,
        "boot": batch.boot,
        "seq": batch.seq,
        "sent_at": batch.sent_at,
        "t0": moment(batch.times[0]),
        "dt_ms": (elapsed_us // 1000).tolist(),
        "s": columns | batch.extra,
    }
    return encode(message, content_type)


def decode_telemetry(payload: bytes, content_type: str | None = None) -> TelemetryBatch | Rejection:
    """The batch a payload holds; a listed number that is not finite arrives as infinity, for validation to refuse."""
    content_type = content_type or told(payload, None)
    message: Any = decode_versioned(payload, content_type, _KNOWN_TELEMETRY.get(content_type, _Telemetry))
    if isinstance(message, Rejection) and message.reason is RejectionReason.WRONG_TYPE:
        message = decode_versioned(payload, content_type, _Telemetry)
    if isinstance(message, Rejection):
        return message
    columns: Any
    extra: dict[str, list[Any]] = {}
    try:
        times = _times(message.t0, message.dt_ms)
        if isinstance(message, _Telemetry):
            columns, extra = _one_by_one(message.s, len(times), content_type)
        else:
            columns = read_columns(msgspec.structs.astuple(message.s), len(times))
    except ColumnError as error:
        return error.rejection
    return TelemetryBatch(message.vehicle_id, message.boot, message.seq, message.sent_at, times, columns, extra)


def encode_events(batch: EventBatch, content_type: str = MESSAGEPACK) -> bytes:
    """The payload of one batch of events."""
    events = [
        _Event(
            at=event.at,
            kind=event.kind,
            code=event.trouble_code.code if event.trouble_code else None,
            status=int(event.trouble_code.status) if event.trouble_code else None,
            details=event.details,
        )
        for event in batch.events
    ]
    message = _Events(
        v=WIRE_VERSION,
        vehicle_id=batch.vehicle_id,
        boot=batch.boot,
        sent_at=batch.sent_at,
        seq=batch.seq,
        events=events,
    )
    return encode(message, content_type)


def decode_events(payload: bytes, content_type: str | None = None) -> EventBatch | Rejection:
    """The events a payload holds."""
    message = decode_versioned(payload, content_type, _Events)
    if isinstance(message, Rejection):
        return message
    events = []
    for event in message.events:
        code: DiagnosticTroubleCode | Rejection | None = None
        if event.code is not None:
            code = DiagnosticTroubleCode.parse(event.code, DtcStatus(event.status or 0))
        elif event.kind is EventKind.TROUBLE_CODE:
            code = Rejection(RejectionReason.WRONG_TYPE, "a trouble_code event has no code")
        if isinstance(code, Rejection):
            return code
        events.append(Event(event.at, event.kind, code, event.details))
    return EventBatch(message.vehicle_id, message.boot, message.seq, message.sent_at, tuple(events))


def encode_hello(hello: Hello, content_type: str = MESSAGEPACK) -> bytes:
    """The payload of one hello."""
    message = _Hello(
        v=WIRE_VERSION,
        vehicle_id=hello.vehicle_id,
        boot=hello.boot,
        sent_at=hello.sent_at,
        software=hello.software,
        catalogue_version=hello.catalogue_version,
        dropped=list(hello.dropped),
    )
    return encode(message, content_type)


def decode_hello(payload: bytes, content_type: str | None = None) -> Hello | Rejection:
    """The hello a payload holds."""
    message = decode_versioned(payload, content_type, _Hello)
    if isinstance(message, Rejection):
        return message
    return Hello(
        vehicle_id=message.vehicle_id,
        boot=message.boot,
        software=message.software,
        catalogue_version=message.catalogue_version,
        sent_at=message.sent_at,
        dropped=tuple(message.dropped),
    )


def encode_ack(ack: StoredAck, content_type: str = JSON) -> bytes:
    """The payload of one stored-ack."""
    return encode(_Ack(ack.boot, ack.through, list(ack.missing)), content_type)


def decode_ack(payload: bytes, content_type: str | None = None) -> StoredAck | Rejection:
    """The stored-ack a payload holds."""
    message = decode(payload, content_type, _Ack)
    if isinstance(message, Rejection):
        return message
    return StoredAck(message.boot, message.through, tuple(message.missing))


def _one_by_one(
    signals: dict[str, msgspec.Raw], length: int, content_type: str
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The columns that the catalogue knows, and those that it does not."""
    columns: dict[str, Any] = {}
    extra: dict[str, list[Any]] = {}
    for name, raw in signals.items():
        signal = CATALOGUE.get(name)
        if signal is None:
            extra[name] = read_unknown(name, raw, length, content_type)
        else:
            columns[name] = read_column(raw, signal, length, content_type)
    if len(extra) > MAX_EXTRA_SIGNALS:
        raise ColumnError(RejectionReason.TOO_LARGE, f"more than {MAX_EXTRA_SIGNALS} unknown signals")
    return columns, extra


def _times(t0: datetime, dt_ms: list[int]) -> Any:
    if not dt_ms:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, "dt_ms is empty")
    if dt_ms[0] < 0 or dt_ms[-1] > _MAX_SPAN_MS:
        raise ColumnError(RejectionReason.WRONG_TYPE, "dt_ms is not within ten years after t0")
    if not all(map(operator.lt, dt_ms, dt_ms[1:])):
        raise ColumnError(RejectionReason.WRONG_TYPE, "dt_ms does not increase strictly")
    start = microseconds(t0)
    if start < _FIRST_INSTANT or start + 1000 * dt_ms[-1] > _LAST_INSTANT:
        raise ColumnError(RejectionReason.WRONG_TYPE, "t0 is not a time")
    return np.array([start + 1000 * elapsed for elapsed in dt_ms], np.int64).view("datetime64[us]")
