"""Scenario 25: any text that Unicode has comes back as it was; what is no text is kept as bytes."""

import itertools
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest

from storage.ledger import BatchKey
from tests.support.faults.contents import Contents, as_sent, named, raw, tally
from tests.support.faults.load import EVENTS_EVERY, a_message, boot_of, vehicle_id
from tests.support.faults.raw_publisher import RawPublisher
from tests.support.faults.sent import payload_of
from vehicle.batch import Event, EventBatch, EventKind, TelemetryBatch
from vehicle.codec import JSON, MESSAGEPACK
from vehicle.topics import Channel
from vehicle.wire import encode_events, encode_telemetry

pytestmark = pytest.mark.integration
Runs = Callable[..., AbstractContextManager[Contents]]

CAR: Final = vehicle_id(0)
COMPOSED: Final = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
DECOMPOSED: Final = unicodedata.normalize("NFD", COMPOSED)
TEXTS: Final = (
    COMPOSED,
    DECOMPOSED,
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "\N{GRINNING FACE}",
    "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}",
    "\N{ZERO WIDTH NO-BREAK SPACE}byte order mark",
    "\U0010ffff\uffff\ue000",
    "\x01\x1b[31m\x7f\x85",
    "a\\u0000b\\x00",
    "'); DROP TABLE telemetry; --",
    "\N{LATIN SMALL LETTER A}" + "\N{COMBINING GRAVE ACCENT}" * 500,
    "",
)
NO_TEXT: Final = (
    (b"\x00", b"\\u0000"),
    (b"a\x00b", b"a\\u0000b"),
    (b"\xed\xa0\x80", b"\\ud800"),
    (b"\xed\xb0\x80", b"\\udc00"),
    (b"\xed\xb0\x80\xed\xa0\x80", b"\\udc00\\ud800"),
    (b"\xed\xa0\x80a", b"\\ud800a"),
    (b"\xc0\xaf", b"\xc0\xaf"),
    (b"\xf4\x90\x80\x80", b"\xf4\x90\x80\x80"),
    (b"\xf0\x9f\x98", b"\xf0\x9f\x98"),
)
"""In UTF-8, or what some take for it, and how JSON could say it: NUL, half and exchanged surrogates, bytes that
stand for no character."""
_MARK: Final = "ten bytes."


def telemetry(seed: int, seq: int, extra: dict[str, list[Any]] | None = None, power_up: int = 1) -> TelemetryBatch:
    batch = a_message(seed, 0, power_up, seq)
    assert isinstance(batch, TelemetryBatch)
    return replace(batch, extra=extra or {})


def events(seed: int, seq: int, *texts: str, power_up: int = 1) -> EventBatch:
    at = a_message(seed, 0, power_up, seq).sent_at
    happened = tuple(Event(at, EventKind.ALERT, None, {text or "empty": text}) for text in texts)
    return EventBatch(CAR, boot_of(seed, power_up), seq, at, happened)


@pytest.mark.scenario("25 text in payloads", quick=0, full=1)
def test_any_text_comes_back_as_it_was(seed: int, contents: Runs) -> None:
    with contents(CAR) as run:
        messages = []
        extra: dict[str, list[Any]] = {"note": list(TEXTS[:5])} | {text: [1, 2, 3, 4, 5] for text in TEXTS if text}
        for seq, content_type in ((1, JSON), (2, MESSAGEPACK)):
            batch = telemetry(seed, seq, extra)
            run.expect(batch, encode_telemetry(batch, content_type))
            messages.append(as_sent(batch, encode_telemetry(batch, content_type), content_type))
        for seq, content_type in ((3, JSON), (4, MESSAGEPACK)):
            happened = events(seed, seq, *TEXTS)
            run.expect(happened, encode_events(happened, content_type))
            messages.append(as_sent(happened, encode_events(happened, content_type), content_type))
        run.send(messages)
        names = {text for text in TEXTS if text}
        rows = run.query("SELECT extra FROM telemetry ORDER BY time")
        assert [extra.pop("note") for (extra,) in rows] == [*TEXTS[:5], *TEXTS[:5]]
        assert all(extra.keys() == names for (extra,) in rows)
        assert not run.kept()
        run.account(f"{len(TEXTS)} texts")


@pytest.mark.scenario("25 no text", quick=1, full=1)
def test_what_is_no_text_is_kept_as_bytes(seed: int, contents: Runs) -> None:
    seqs = (seq for seq in itertools.count(1) if seq % EVENTS_EVERY)
    with contents(CAR) as run:
        messages = []
        for utf8, in_json in NO_TEXT:
            for content_type, spelt in ((MESSAGEPACK, utf8), (JSON, in_json)):
                for where in ("signal", "value", "detail"):
                    seq = next(seqs)
                    good, bad = a_message(seed, 0, 1, seq), spoilt(seed, seq, where, content_type, spelt)
                    run.sent.add([good])
                    key = BatchKey(CAR, boot_of(seed, 2), seq)
                    if where == "value" and b"\x00" in utf8:
                        # Text to the reader, but not to the database: that one sample cannot be stored.
                        run.sent.add_partly_good(key, bad, without_first(telemetry(seed, seq, power_up=2)))
                    else:
                        run.sent.add_bad(bad, key)
                    channel = Channel.EVENT if where == "detail" else Channel.TELEMETRY
                    messages += [as_sent(good), raw(CAR, bad, content_type, named(key), channel)]
        run.send(messages)
        run.account(f"{len(NO_TEXT)} kinds")


def without_first(batch: TelemetryBatch) -> TelemetryBatch:
    columns = {name: values[1:] for name, values in batch.columns.items()}
    return replace(batch, times=batch.times[1:], columns=columns)


def spoilt(seed: int, seq: int, where: str, content_type: str, text: bytes) -> bytes:
    """A payload with these bytes where text belongs."""
    encode: Any = msgspec.json.encode if content_type == JSON else msgspec.msgpack.encode
    if where == "detail":
        message = msgspec.msgpack.decode(encode_events(events(seed, seq, _MARK, power_up=2)))
    else:
        message = msgspec.msgpack.decode(payload_of(telemetry(seed, seq, power_up=2)))
        message["s"] |= {_MARK: [1, 2, 3, 4, 5]} if where == "signal" else {"note": [_MARK, 2, 3, 4, 5]}
    if content_type == JSON:
        return bytes(encode(message).replace(_MARK.encode(), text))
    # MessagePack tells the length before the text: 0xa0 and the length, up to 31 bytes.
    return bytes(encode(message).replace(bytes([0xA0 + len(_MARK)]) + _MARK.encode(), bytes([0xA0 + len(text)]) + text))


TAKEN_TOPICS: Final = (
    *(
        f"vsc/v1/{text}/telemetry"
        for text in (COMPOSED, DECOMPOSED, "\N{GRINNING FACE}", "\u202ecar-00", "\uffee", " ")
    ),
    f"vsc/v1/{'x' * 10_000}/telemetry",
    "vsc/v1/car-00\N{ZERO WIDTH SPACE}/telemetry",
    "vsc/v1/car-\N{FULLWIDTH DIGIT ZERO}\N{FULLWIDTH DIGIT ZERO}/telemetry",
    "vsc/v1//telemetry",
)
"""What the broker delivers, and nobody's car is called."""
REFUSED_TOPICS: Final = tuple(
    b"vsc/v1/" + name + b"/telemetry"
    for name in (b"\x00", b"car-00\x00", b"\x01", b"\x7f", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"+", b"#")
)
"""What the broker does not even take."""


@pytest.mark.scenario("25 text in topics", quick=0, full=1)
def test_topics_that_are_nobodys(seed: int, contents: Runs) -> None:
    """Not even that of a car which somebody has registered by hand under a name that is none."""
    with contents(CAR, COMPOSED) as run:
        batches = [telemetry(seed, seq) for seq in range(1, 10)]
        for number, name in enumerate(TAKEN_TOPICS):
            payload = payload_of(replace(batches[0], vehicle_id=name.split("/")[2], seq=number + 1))
            run.sent.add_bad(payload)
            with RawPublisher(run.broker, f"taken-{number}") as publisher:
                assert publisher.publish(name.encode(), payload, content_type=MESSAGEPACK)
        for number, encoded in enumerate(REFUSED_TOPICS):
            with RawPublisher(run.broker, f"refused-{number}") as publisher:
                assert not publisher.publish(encoded, payload_of(batches[0])), encoded
        run.sent.add(batches)
        run.send([as_sent(batch) for batch in batches])
        assert {name for name, _ in tally(run.kept())} == set(TAKEN_TOPICS)
        assert run.query("SELECT DISTINCT vehicle_id FROM telemetry") == [(CAR,)]
        run.account(f"{len(TAKEN_TOPICS)} delivered, {len(REFUSED_TOPICS)} refused by the broker")
