"""Good inputs, made by our own encoders: a fuzzer finds from them what random bytes never would."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import numpy as np

from vehicle.batch import Event, EventBatch, EventKind, Hello, StoredAck, TelemetryBatch
from vehicle.codec import JSON, MESSAGEPACK
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.command import SendAgain, encode_command
from vehicle.signals import CATALOGUE, SignalKind
from vehicle.topics import Channel, topic
from vehicle.wire import encode_ack, encode_events, encode_hello, encode_telemetry

NOW: Final = datetime(2026, 9, 1, 12, tzinfo=UTC)
CAR: Final = "car-1"
BOOT: Final = "00000000000000aa"
CODE: Final = DiagnosticTroubleCode("P0A7F00", DtcStatus(9))


def _in_both(encode: Callable[[Any, str], bytes], values: list[Any]) -> Iterator[bytes]:
    """Every value as JSON, as MessagePack and with its format left to be found out."""
    for value in values:
        for choice, content_type in ((b"\0", JSON), (b"\1", MESSAGEPACK), (b"\2", JSON), (b"\2", MESSAGEPACK)):
            yield choice + encode(value, content_type)


def batches() -> list[TelemetryBatch]:
    """A batch of each kind of signal, one of all of them, one with signals that the catalogue lacks."""
    rng = np.random.default_rng(0)
    times = np.datetime64(NOW.replace(tzinfo=None), "us") - np.arange(2, -1, -1) * np.timedelta64(1, "s")
    full: dict[str, Any] = {}
    for name, signal in CATALOGUE.items():
        shape = (3, 2) if signal.kind is SignalKind.ARRAY else (3,)
        full[name] = signal.quantised(rng.uniform(signal.minimum, signal.maximum, shape))
        full[name][1] = np.nan
    few = dict(list(full.items())[:3])
    kinds = [{name: full[name] for name in full if CATALOGUE[name].kind is kind} for kind in SignalKind]
    extra: dict[str, list[Any]] = {"x_unknown": [1, "two", None], "y": [[1.5], {"a": None}, True]}
    return [
        *(TelemetryBatch(CAR, BOOT, seq, NOW, times, columns) for seq, columns in enumerate([full, few, *kinds], 1)),
        TelemetryBatch(CAR, BOOT, 9, NOW, times, few, extra),
    ]


def event_batches() -> list[EventBatch]:
    """One event of each kind, all of them, none."""
    each = [Event(NOW, kind, CODE if kind is EventKind.TROUBLE_CODE else None, {"soc": 61.5}) for kind in EventKind]
    return [EventBatch(CAR, BOOT, 3, NOW, tuple(some)) for some in ([], each, *([event] for event in each))]


def telemetry() -> Iterator[bytes]:
    """Inputs of the batch decoder."""
    return _in_both(encode_telemetry, batches())


def events() -> Iterator[bytes]:
    """Inputs of the event decoder."""
    return _in_both(encode_events, event_batches())


def hellos() -> Iterator[bytes]:
    """Inputs of the hello decoder."""
    return _in_both(
        encode_hello,
        [Hello(CAR, BOOT, "1.2.3", "1", NOW), Hello(CAR, BOOT, "", "", NOW, ((BOOT, 1, 5), (BOOT, 9, 2**63 - 1)))],
    )


def acks() -> Iterator[bytes]:
    """Inputs of the stored-ack decoder."""
    return _in_both(encode_ack, [StoredAck(BOOT, 0), StoredAck(BOOT, 2**63 - 1, ((1, 5), (7, 7)))])


def commands() -> Iterator[bytes]:
    """Inputs of the command decoder."""
    return _in_both(encode_command, [SendAgain(BOOT), SendAgain(BOOT, ((1, 5), (7, 7)), 9)])


def topics() -> Iterator[bytes]:
    """Topics of every channel, and some that are none."""
    for channel in Channel:
        yield topic(CAR, channel).encode()
    yield from (b"", b"/", b"vsc/v1//telemetry", b"vsc/v2/car-1/event", b"vsc/v1/" + b"a" * 65 + b"/hello")


def messages() -> Iterator[bytes]:
    """Whole messages, with and without content type and user properties."""
    made = [
        *((Channel.TELEMETRY, batch.seq, encode_telemetry(batch)) for batch in batches()),
        *((Channel.EVENT, batch.seq, encode_events(batch)) for batch in event_batches()),
        (Channel.HELLO, 0, encode_hello(Hello(CAR, BOOT, "1.2.3", "1", NOW, ((BOOT, 1, 5),)))),
    ]
    for channel, seq, payload in made:
        user = {"boot": BOOT, "seq": str(seq)} if seq else {}
        yield a_message(topic(CAR, channel), payload, MESSAGEPACK, user)
    channel, _, payload = made[1]
    yield a_message(topic(CAR, channel), payload, None, {})
    yield a_message(topic(CAR, channel), b'{"v":1}', JSON, {"boot": BOOT, "seq": "1"})


def a_message(address: str, payload: bytes, content_type: str | None, user: dict[str, str]) -> bytes:
    """One whole message as an input."""
    return msgspec.msgpack.encode([address, payload, content_type, user])
