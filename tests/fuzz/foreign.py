"""The decoders of foreign protocols as checks, and all that becomes of their messages before the database."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import msgspec
import numpy as np

from agent.connection import Message
from ingest.confluence import Confluence, Row
from ingest.flush import make_plan, sort_out
from ingest.foreign_incoming import BatchMaker, ForeignIncoming, read
from ingest.validation import TimeLimits
from tests.fuzz import seeds
from tests.fuzz.invariants import consistent, refused, storable
from vehicle import ovms, tesla
from vehicle.foreign import ForeignMessage
from vehicle.foreign_address import ForeignTopics
from vehicle.identity import without_vins
from vehicle.rejection import Rejection
from vehicle.signals import CATALOGUE

TOPICS: Final = ForeignTopics()
ALIAS: Final = "~00112233445566778899"
WALL: Final = TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=False)
_PACE: Final = timedelta(seconds=0.4)


def check_of(decode: Callable[..., ForeignMessage | Rejection]) -> Callable[[bytes], None]:
    """One decoder, given the topic's levels and a payload."""

    def check(data: bytes) -> None:
        for path, payload in _read(data, list[tuple[list[str], bytes]]):
            said = decode(tuple(path), payload, seeds.NOW)
            if not refused(said):
                assert isinstance(said, ForeignMessage)
                _fit_to_be_kept(said)

    return check


def foreign(data: bytes) -> None:
    """Whole messages of foreign cars become rows, and the rows batches that the tables can hold."""
    confluence: Confluence[int] = Confluence()
    maker = BatchMaker(np.random.default_rng(0))
    at = seeds.NOW
    rows: list[Row[int]] = []
    for number, (topic, payload, retain) in enumerate(_read(data, list[tuple[str, bytes, bool]])):
        taken = read(Message(topic, payload, 0, number, None, {}, retain), TOPICS, at)
        _names_nobody(taken)
        if not refused(taken.said):
            assert isinstance(taken.said, ForeignMessage)
            rows += confluence.add(seeds.CAR, taken.said, at, number, len(payload))
        at += _PACE
    rows += confluence.close_all()
    flush = [batch for row in rows for batch in maker.batches(row)]
    for batch in flush:
        consistent(batch)
    result = sort_out(flush, {})
    assert len(result.new) == len(flush)
    for table in make_plan(result.new, at, WALL).tables:
        storable(table)


def _read(data: bytes, kind: Any) -> Iterable[Any]:
    """An input as some messages."""
    try:
        messages: Iterable[Any] = msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ()
    return messages


def _fit_to_be_kept(said: ForeignMessage) -> None:
    for name, value in said.values.items():
        signal = CATALOGUE[name]
        elements = np.atleast_1d(np.asarray(value, np.float64))
        present = elements[~np.isnan(elements)]
        assert present.size
        assert ((present >= signal.minimum) & (present <= signal.maximum)).all(), name
    kept = [*said.extra.values(), *(event.details for event in said.events)]
    for each in kept:
        text = msgspec.json.encode(each).decode()
        assert "\\u0000" not in text
        assert without_vins(text) == text


def _names_nobody(taken: ForeignIncoming) -> None:
    kept = taken.of(ALIAS).message.topic
    assert without_vins(kept) == kept


def tesla_seeds() -> Iterator[bytes]:
    """Inputs of the decoder of fleet-telemetry."""
    return (msgspec.msgpack.encode([(path.split("/"), payload)]) for path, payload in _TESLA)


def ovms_seeds() -> Iterator[bytes]:
    """Inputs of the decoder of OVMS."""
    return (msgspec.msgpack.encode([(path.split("/"), payload)]) for path, payload in _OVMS)


def foreign_seeds() -> Iterator[bytes]:
    """Whole messages of both protocols, one at a time and all together."""
    both = [(f"telemetry/{_VIN}/{path}", payload, False) for path, payload in _TESLA]
    both += [(f"ovms/me/LEAF01/{path}", payload, False) for path, payload in _OVMS]
    yield from (msgspec.msgpack.encode([each]) for each in both)
    yield msgspec.msgpack.encode(both)
    yield msgspec.msgpack.encode([(both[0][0], both[0][1], True), ("other/x", b"1", False)])


_VIN: Final = "WAUZZZ8K9BA000017"
_TESLA: Final = (
    *((f"v/{signal.tesla}", b'"1"') for signal in CATALOGUE.values() if signal.tesla),
    ("v/Soc", b"63.4"),
    ("v/BMSState", b'"BMSStateDrive"'),
    ("v/Hvil", b'"HvilStatusOK"'),
    ("v/TpmsSoftWarnings", b'{"front_left":true}'),
    ("v/Location", b'{"latitude":1.5,"longitude":2.5}'),
    ("v/Unknown", b'{"a":[1,null,"WAUZZZ8K9BA000017"]}'),
    ("v/TpmsLastSeenPressureTimeFl", b'"2026-09-01T06:12:03Z"'),
    ("alerts/VCFRONT_a478/current", b'{"Audiences":["ServiceFix"],"StartedAt":"2026-09-01T06:12:03Z"}'),
    ("alerts/VCFRONT_a478/history", b'[{"Audiences":null,"EndedAt":"2026-09-01T07:40:00Z"}]'),
    ("errors/cfg", b'{"Body":"x","CreatedAt":"2026-09-01T06:12:03Z","Tags":{"k":"v"}}'),
    ("connectivity", b'{"ConnectionId":"x","CreatedAt":"2026-09-01T06:10:00Z","Status":"CONNECTED"}'),
)
_OVMS: Final = (
    *(
        (f"metric/{signal.ovms.partition('[')[0].replace('.', '/')}", b"1")
        for signal in CATALOGUE.values()
        if signal.ovms
    ),
    ("metric/v/b/soc", b"96.3"),
    ("metric/v/b/c/voltage", b"4.105,4.095,,4.105"),
    ("metric/v/t/pressure", b"206.843,216.483,275.79,175.79"),
    ("metric/v/c/state", b"charging"),
    ("metric/x/unknown", b"yes"),
    ("metric/v/vin", _VIN.encode()),
    ("metric/s/v3/connected", b"no"),
    ("notify/alert/batt/12v/alert", b"12V Battery critical: 10.9V (ref=12.6V)"),
    ("notify/data/log/trip/17/-42", b"LEAF-LOG-Trip,0,86400"),
    ("event", b"vehicle.on"),
    ("client/app/active", b"1"),
)
TESLA_CHECK: Final = check_of(tesla.decode)
OVMS_CHECK: Final = check_of(ovms.decode)
