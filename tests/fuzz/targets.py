"""Every decoder of bytes from outside, each as a check of one input, with good inputs to begin from.

An input's first byte chooses the content type. A check raises AssertionError where the answer is wrong; whatever
else it raises is a defect of the decoder, which must not raise at all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import msgspec
import numpy as np

from agent.connection import Message
from ingest.flush import make_plan, sort_out
from ingest.incoming import Incoming, read
from ingest.rebuilt import set_clock
from ingest.validation import CLOCK_SET, LAST_MOMENT, TimeLimits, believable
from storage.ledger import BatchKey
from tests.fuzz import foreign, seeds
from tests.fuzz.invariants import consistent, refused, storable
from vehicle.batch import TelemetryBatch
from vehicle.codec import JSON, MESSAGEPACK
from vehicle.command import decode_command, encode_command
from vehicle.moment import instant
from vehicle.rejection import Rejection
from vehicle.signals import CATALOGUE, Signal, SignalKind
from vehicle.topics import parse_topic, topic
from vehicle.wire import (
    decode_ack,
    decode_events,
    decode_hello,
    decode_telemetry,
    encode_ack,
    encode_events,
    encode_hello,
    encode_telemetry,
)

CONTENT_TYPES: Final = (JSON, MESSAGEPACK, None, "text/plain")
_CLOCK_OFFSET: Final = timedelta(days=10_000)
LIMITS: Final = tuple(
    TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=by_sender) for by_sender in (True, False)
)


@dataclass(frozen=True)
class Target:
    """One decoder."""

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def _split(data: bytes) -> tuple[str | None, bytes]:
    """The content type that the first byte chooses, and the payload."""
    return CONTENT_TYPES[data[0] % len(CONTENT_TYPES)] if data else None, data[1:]


def _round_trip(decode: Callable[..., Any], encode: Callable[..., bytes]) -> Callable[[bytes], None]:
    """What is accepted is written as bytes that mean the same."""

    def check(data: bytes) -> None:
        content_type, payload = _split(data)
        value = decode(payload, content_type)
        if refused(value) or not _writable(value):
            return
        for kind in (JSON, MESSAGEPACK):
            assert decode(encode(value, kind), kind) == value

    return check


def _writable(value: Any) -> bool:
    """Whether both formats hold all of it: details are any values, and the last day of the year 9999 has no UTC."""
    events = getattr(value, "events", ())
    times = [event.at for event in events]
    if hasattr(value, "sent_at"):
        times.append(value.sent_at)
    return all(map(believable, times)) and not any(event.details for event in events)


def telemetry(data: bytes) -> None:
    """A batch is well formed, and written as bytes that mean the same."""
    content_type, payload = _split(data)
    batch = decode_telemetry(payload, content_type)
    if refused(batch):
        return
    assert isinstance(batch, TelemetryBatch)
    _well_formed(batch)
    if not _writable(batch) or batch.times[-1] > instant(LAST_MOMENT) or batch.times[0] < instant(CLOCK_SET):
        return
    columns = {name: _in_range(values, CATALOGUE[name]) for name, values in batch.columns.items()}
    named = replace(batch, columns=columns, extra={})
    for kind in (JSON, MESSAGEPACK):
        again = decode_telemetry(encode_telemetry(named, kind), kind)
        assert isinstance(again, TelemetryBatch), again
        assert (again.vehicle_id, again.boot, again.seq) == (batch.vehicle_id, batch.boot, batch.seq)
        assert again.sent_at == batch.sent_at
        assert np.array_equal(again.times, batch.times)
        assert again.columns.keys() == columns.keys()
        for name, values in columns.items():
            assert _same(again.columns[name], _as_sent(values, CATALOGUE[name], kind)), name


def _as_sent(values: Any, signal: Signal, content_type: str) -> Any:
    """What arrives of them: MessagePack packs to binary32 what the database keeps in one."""
    packed = content_type == MESSAGEPACK and signal.column_type in ("real", "real[]")
    return values.astype(np.float32).astype(np.float64) if packed else values


def _same(one: Any, other: Any) -> bool:
    """Equal, whereby rows without a value have no width of their own."""
    if np.isnan(one).all() and np.isnan(other).all():
        return len(one) == len(other)
    return np.array_equal(one, other, equal_nan=True)


def _in_range(values: Any, signal: Signal) -> Any:
    """What validation leaves of a column."""
    return np.where((values < signal.minimum) | (values > signal.maximum), np.nan, values)


def _well_formed(batch: TelemetryBatch) -> None:
    count = len(batch.times)
    assert count > 0
    assert batch.times.dtype == np.dtype("datetime64[us]")
    assert (np.diff(batch.times) > np.timedelta64(0)).all()
    for name, values in batch.columns.items():
        assert values.dtype == np.float64
        assert values.ndim == (2 if CATALOGUE[name].kind is SignalKind.ARRAY else 1)
        assert len(values) == count
    for listed in batch.extra.values():
        assert len(listed) == count


def topics(data: bytes) -> None:
    """What is read from a topic builds the same topic."""
    text = data.decode("utf-8", "surrogateescape")
    address = parse_topic(text)
    if not refused(address):
        assert not isinstance(address, Rejection)
        assert topic(*address) == text


def incoming(data: bytes) -> None:
    """A whole message is read, and what is planned of it is fit for the tables."""
    message = message_of(data)
    if message is None:
        return
    taken = read(message)
    consistent(taken)
    for limits in LIMITS:
        result = sort_out([taken, taken], {})
        # An unkeyed message, or the first of a pair: the second is a duplicate.
        assert len(result.new) + len(result.duplicates) == (2 if taken.key else 0)
        again = {key: with_clock_set(each) for key, each in result.new.items()}
        for new in (result.new, again):
            _plannable(new, limits)


def with_clock_set(taken: Incoming) -> Incoming:
    """The message as a replay from quarantine takes it, for a car whose clock was not set."""
    return replace(taken, content=set_clock(taken.content, _CLOCK_OFFSET))


def _plannable(new: Mapping[BatchKey, Incoming], limits: TimeLimits) -> None:
    plan = make_plan(new, seeds.NOW, limits)
    assert len(plan.entries) == len(new)
    samples = sum(len(table.times) for table in plan.tables)
    assert sum(entry.rows for entry in plan.entries) == samples + sum(len(batch.events) for batch in plan.events)
    for table in plan.tables:
        storable(table)
    for _, rejection in plan.refused:
        assert refused(rejection)


def message_of(data: bytes) -> Message | None:
    """An input as a message: topic, payload, content type and user properties as one MessagePack array."""
    try:
        address, payload, content_type, user = msgspec.msgpack.decode(
            data, type=tuple[str, bytes, str | None, dict[str, str]]
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return Message(address, payload, 1, 1, content_type, user)


TARGETS: Final[dict[str, Target]] = {
    "telemetry": Target(telemetry, seeds.telemetry),
    "events": Target(_round_trip(decode_events, encode_events), seeds.events),
    "hello": Target(_round_trip(decode_hello, encode_hello), seeds.hellos),
    "ack": Target(_round_trip(decode_ack, encode_ack), seeds.acks),
    "command": Target(_round_trip(decode_command, encode_command), seeds.commands),
    "topics": Target(topics, seeds.topics),
    "tesla": Target(foreign.TESLA_CHECK, foreign.tesla_seeds),
    "ovms": Target(foreign.OVMS_CHECK, foreign.ovms_seeds),
    "foreign": Target(foreign.foreign, foreign.foreign_seeds),
    "incoming": Target(incoming, seeds.messages),
}
"""By name."""
