"""The native wire format: columnar batches, events, hello and stored-ack, as JSON or MessagePack.

Decoding never raises: bytes from outside become a value or a `Rejection`. Nothing is coerced: a number sent as a
string, or a boolean sent as a number, is a wrong type. Encoding writes what decoding reads, to the last bit of a
float64.
"""

import itertools
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec
import numpy as np

from vehicle.batch import Event, EventBatch, EventKind, Hello, StoredAck, TelemetryBatch
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.columns import WIRE_TYPES, ColumnError, read_column, read_columns, read_unknown, write_column
from vehicle.json_names import name_twice
from vehicle.moment import microseconds, moment
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import CATALOGUE

WIRE_VERSION: Final = 1
JSON: Final = "application/json"
MESSAGEPACK: Final = "application/msgpack"
MAX_PAYLOAD_BYTES: Final = 60_000
"""A packet is at most 64 KiB; what is left is for topic and properties."""
MAX_EXTRA_SIGNALS: Final = 64
"""Signals outside the catalogue in one batch; a sender with more is broken."""
_MAX_SPAN_MS: Final = 10 * 366 * 86_400_000

_FIRST_INSTANT: Final = microseconds(datetime.min.replace(tzinfo=UTC))
_LAST_INSTANT: Final = microseconds(datetime.max.replace(tzinfo=UTC))

_Seq = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_Boot = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Message(msgspec.Struct):
    """What every message of a vehicle says of itself."""

    v: int
    vehicle_id: str
    boot: _Boot
    sent_at: _Moment


class _Samples(_Message):
    seq: _Seq
    t0: _Moment
    dt_ms: list[int]


_Columns: Any = msgspec.defstruct(
    "_Columns",
    [(signal.name, WIRE_TYPES[signal.kind] | msgspec.UnsetType, msgspec.UNSET) for signal in CATALOGUE.values()],
    forbid_unknown_fields=True,
)


class _KnownTelemetry(_Samples):
    """A batch of which the catalogue knows every signal; read in one go."""

    s: _Columns


class _Telemetry(_Samples):
    """A batch whose signals are read one by one, so as to keep the unknown and to name the wrong."""

    s: dict[str, msgspec.Raw]


class _Event(msgspec.Struct, omit_defaults=True):
    at: _Moment
    kind: EventKind
    code: str | None = None
    status: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    details: dict[str, Any] = {}


class _Events(_Message):
    seq: _Seq
    events: list[_Event]


class _Hello(_Message):
    software: str
    catalogue_version: str
    dropped: list[tuple[_Boot, _Seq, _Seq]] = []


class _Ack(msgspec.Struct):
    boot: _Boot
    through: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    missing: list[tuple[_Seq, _Seq]] = []


_S = TypeVar("_S", bound=msgspec.Struct)


class _Codec:
    """One serialisation of the structs above."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.encode = kind.Encoder().encode
        self._decoders: dict[type[msgspec.Struct], Any] = {
            struct: kind.Decoder(struct) for struct in (_KnownTelemetry, _Telemetry, _Events, _Hello, _Ack)
        }

    def decode(self, payload: bytes, struct: type[_S]) -> _S | Rejection:
        try:
            return self._decoders[struct].decode(payload)  # type: ignore[no-any-return]  # one decoder a struct
        except msgspec.ValidationError as error:
            return Rejection(RejectionReason.WRONG_TYPE, str(error))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
            return Rejection(RejectionReason.UNREADABLE, str(error))


_CODECS = {JSON: _Codec(msgspec.json), MESSAGEPACK: _Codec(msgspec.msgpack)}


def encode_telemetry(batch: TelemetryBatch, content_type: str = MESSAGEPACK) -> bytes:
    """The payload of one batch.

    Raises:
        ValueError: if a time is not a whole number of milliseconds after the first.
    """
    codec = _CODECS[content_type]
    elapsed_us = (batch.times - batch.times[0]).astype(np.int64)
    if np.any(elapsed_us % 1000):
        raise ValueError("sample times must lie whole milliseconds after the first")
    columns: dict[str, Any] = {name: write_column(values, CATALOGUE[name]) for name, values in batch.columns.items()}
    return bytes(
        codec.encode(
            {
                "v": WIRE_VERSION,
                "vehicle_id": batch.vehicle_id,
                "boot": batch.boot,
                "seq": batch.seq,
                "sent_at": batch.sent_at,
                "t0": moment(batch.times[0]),
                "dt_ms": (elapsed_us // 1000).tolist(),
                "s": columns | batch.extra,
            }
        )
    )


def decode_telemetry(payload: bytes, content_type: str | None = None) -> TelemetryBatch | Rejection:
    """The batch a payload holds; a number that is not finite arrives as infinity, for validation to refuse."""
    message: _KnownTelemetry | _Telemetry | Rejection = _decode(payload, content_type, _KnownTelemetry)
    if isinstance(message, Rejection) and message.reason is RejectionReason.WRONG_TYPE:
        message = _decode(payload, content_type, _Telemetry)
    if isinstance(message, Rejection):
        return message
    columns: Any
    extra: dict[str, list[Any]] = {}
    try:
        times = _times(message.t0, message.dt_ms)
        if isinstance(message, _KnownTelemetry):
            columns = read_columns(msgspec.structs.astuple(message.s), len(times))
        else:
            columns, extra = _one_by_one(message.s, len(times), _codec(payload, content_type).kind)
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
    return bytes(_CODECS[content_type].encode(message))


def decode_events(payload: bytes, content_type: str | None = None) -> EventBatch | Rejection:
    """The events a payload holds."""
    message = _decode(payload, content_type, _Events)
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
    return bytes(_CODECS[content_type].encode(message))


def decode_hello(payload: bytes, content_type: str | None = None) -> Hello | Rejection:
    """The hello a payload holds."""
    message = _decode(payload, content_type, _Hello)
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
    return bytes(_CODECS[content_type].encode(_Ack(ack.boot, ack.through, list(ack.missing))))


def decode_ack(payload: bytes, content_type: str | None = None) -> StoredAck | Rejection:
    """The stored-ack a payload holds."""
    message = _decode_struct(payload, content_type, _Ack)
    if isinstance(message, Rejection):
        return message
    return StoredAck(message.boot, message.through, tuple(message.missing))


def _codec(payload: bytes, content_type: str | None) -> _Codec:
    """The codec named by the content type; without one, a JSON object tells itself by its brace."""
    return _CODECS[content_type or (JSON if payload.lstrip()[:1] == b"{" else MESSAGEPACK)]


def _decode_struct(payload: bytes, content_type: str | None, struct: type[_S]) -> _S | Rejection:
    if content_type is not None and content_type not in _CODECS:
        return Rejection(RejectionReason.UNREADABLE, "the content type is neither JSON nor MessagePack")
    codec = _codec(payload, content_type)
    message = codec.decode(payload, struct)
    if codec.kind is msgspec.json and not isinstance(message, Rejection):
        name = name_twice(payload)
        if name is not None:
            return Rejection(RejectionReason.UNREADABLE, f"the name {name!a} stands twice in one object")
    return message


_M = TypeVar("_M", bound=_Message)


def _decode(payload: bytes, content_type: str | None, struct: type[_M]) -> _M | Rejection:
    message = _decode_struct(payload, content_type, struct)
    if not isinstance(message, Rejection) and message.v != WIRE_VERSION:
        return Rejection(RejectionReason.WRONG_VERSION, f"version {message.v} is not {WIRE_VERSION}")
    return message


def _one_by_one(signals: dict[str, msgspec.Raw], length: int, kind: Any) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The columns that the catalogue knows, and those that it does not."""
    columns: dict[str, Any] = {}
    extra: dict[str, list[Any]] = {}
    for name, raw in signals.items():
        signal = CATALOGUE.get(name)
        if signal is None:
            extra[name] = read_unknown(name, raw, length, kind)
        else:
            columns[name] = read_column(raw, signal, length, kind)
    if len(extra) > MAX_EXTRA_SIGNALS:
        raise ColumnError(RejectionReason.TOO_LARGE, f"more than {MAX_EXTRA_SIGNALS} unknown signals")
    return columns, extra


def _times(t0: datetime, dt_ms: list[int]) -> Any:
    if not dt_ms:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, "dt_ms is empty")
    if dt_ms[0] < 0 or dt_ms[-1] > _MAX_SPAN_MS:
        raise ColumnError(RejectionReason.WRONG_TYPE, "dt_ms is not within ten years after t0")
    if len(dt_ms) > 1 and any(later <= earlier for earlier, later in itertools.pairwise(dt_ms)):
        raise ColumnError(RejectionReason.WRONG_TYPE, "dt_ms does not increase strictly")
    start = microseconds(t0)
    if start < _FIRST_INSTANT or start + 1000 * dt_ms[-1] > _LAST_INSTANT:
        raise ColumnError(RejectionReason.WRONG_TYPE, "t0 is not a time")
    return np.array([start + 1000 * elapsed for elapsed in dt_ms], np.int64).view("datetime64[us]")
