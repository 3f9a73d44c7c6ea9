"""Scenario 23: a number that is none, or that no sensor can show, takes nothing else with it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np
import pytest

from agent.connection import Message
from tests.support.faults.contents import Contents, as_sent
from tests.support.faults.load import EVENTS_EVERY, a_message, vehicle_id
from tests.support.faults.sent import key_of
from vehicle.batch import TelemetryBatch
from vehicle.codec import JSON, MESSAGEPACK
from vehicle.rejection import RejectionReason as Reason
from vehicle.wire import encode_telemetry

pytestmark = pytest.mark.integration

INFINITE: Final = frozenset({Reason.NON_FINITE})
BEYOND: Final = frozenset({Reason.OUT_OF_RANGE})
EITHER: Final = INFINITE | BEYOND
"""A number too large for a float64 is infinite to one reader and out of range to another."""
BOTH_FORMATS: Final = (
    *((name, value, BEYOND) for name in ("hv_soc_pct", "odometer_km") for value in (1e300, -1e300, 1e39, 1e12, -1)),
    *(("dtc_count", value, BEYOND) for value in (-1, 2**15, 2**31, 2**63, 2**64 - 1, -(2**63))),
    ("cell_voltages_v", 1e300, BEYOND),
)
MESSAGEPACK_ONLY: Final = tuple(
    (name, value, INFINITE)
    for name in ("hv_soc_pct", "odometer_km", "cell_voltages_v")
    for value in (float("nan"), float("inf"), float("-inf"))
)
JSON_TOKENS: Final = ("1e400", "-1e400", "9" * 5000, "-" + "9" * 400, "9" * 20 + ".5e999999999")
"""Numbers by JSON's grammar, beyond any float64; the second has more digits than Python turns into an int."""
NOT_JSON: Final = ("NaN", "Infinity", "-Infinity", "nan", "+1", "01", "1.", ".5", "0x10", "1_0")
STORABLE: Final = (-0.0, 5e-324, 2.2e-308, 0.1 + 0.2)
_MARK: Final = 123.25
"""Stands in an encoded payload where a test puts text."""


@dataclass(frozen=True)
class Odd:
    """A batch with one odd number, as it is sent and as it must be stored; None: not at all."""

    sent: TelemetryBatch
    payload: bytes
    content_type: str
    stored: TelemetryBatch | None
    reasons: frozenset[Reason] = frozenset()

    @property
    def message(self) -> Message:
        return as_sent(self.sent, self.payload, self.content_type)


class Batches:
    """Good batches of one car, in which one value of a random sample is set."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seqs = (seq for seq in range(1, 10_000) if seq % EVENTS_EVERY)
        self._rng = np.random.default_rng(seed)

    def put(self, name: str, value: float) -> tuple[TelemetryBatch, tuple[int, ...]]:
        """The next batch with this value, and where it stands."""
        batch = a_message(self._seed, 0, 1, next(self._seqs))
        assert isinstance(batch, TelemetryBatch)
        column = batch.columns[name].copy()
        place = tuple(int(self._rng.integers(size)) for size in column.shape)
        column[place] = value
        return replace(batch, columns={**batch.columns, name: column}), place


def without(batch: TelemetryBatch, name: str, place: tuple[int, ...]) -> TelemetryBatch:
    """The batch with this one value not sampled."""
    column = batch.columns[name].copy()
    column[place] = np.nan
    return replace(batch, columns={**batch.columns, name: column})


def odd_numbers(seed: int) -> Iterator[Odd]:
    batches = Batches(seed)
    cases = [(case, format_) for case in BOTH_FORMATS for format_ in (JSON, MESSAGEPACK)]
    cases += [(case, MESSAGEPACK) for case in MESSAGEPACK_ONLY]
    for (name, value, reasons), content_type in cases:
        batch, place = batches.put(name, _MARK)
        yield Odd(
            batch,
            with_value(batch, name, place, value, content_type),
            content_type,
            without(batch, name, place),
            reasons,
        )
    for token in NOT_JSON:
        batch, _ = batches.put("hv_soc_pct", _MARK)
        yield Odd(batch, with_text(batch, token), JSON, None, frozenset({Reason.UNREADABLE}))
    for value in STORABLE:
        for content_type in (JSON, MESSAGEPACK):
            for name in ("hv_soc_pct", "odometer_km"):
                batch, _ = batches.put(name, value)
                yield Odd(batch, encode_telemetry(batch, content_type), content_type, batch)


def too_large_for_a_float(seed: int) -> Iterator[Odd]:
    batches = Batches(seed)
    for name in ("hv_soc_pct", "odometer_km", "cell_voltages_v"):
        for token in JSON_TOKENS:
            batch, place = batches.put(name, _MARK)
            yield Odd(batch, with_text(batch, token), JSON, without(batch, name, place), EITHER)


def with_value(batch: TelemetryBatch, name: str, place: tuple[int, ...], value: Any, content_type: str) -> bytes:
    """The payload with a value that an array of floats could not hold."""
    message = msgspec.json.decode(encode_telemetry(batch, JSON))  # lists, which can hold anything
    column = message["s"][name]
    for index in place[:-1]:
        column = column[index]
    column[place[-1]] = value
    encode: Any = msgspec.json.encode if content_type == JSON else msgspec.msgpack.encode
    return bytes(encode(message))


def with_text(batch: TelemetryBatch, text: str) -> bytes:
    """The JSON payload with this text in place of the mark."""
    payload = encode_telemetry(batch, JSON)
    assert payload.count(str(_MARK).encode()) == 1
    return payload.replace(str(_MARK).encode(), text.encode())


def note(run: Contents, odd: Odd) -> None:
    """Tell the oracle what must become of it."""
    if odd.stored is None:
        run.sent.add_bad(odd.payload, key_of(odd.sent))
    elif odd.reasons:
        run.sent.add_partly_good(key_of(odd.sent), odd.payload, odd.stored)
    else:
        run.expect(odd.stored, odd.payload)


@pytest.mark.scenario("23 odd numbers", quick=1, full=5)
def test_odd_numbers(seed: int, contents: Callable[..., AbstractContextManager[Contents]]) -> None:
    check(contents, list(odd_numbers(seed)))


@pytest.mark.scenario("23 numbers beyond float64", quick=1, full=1)
def test_numbers_beyond_float64(seed: int, contents: Callable[..., AbstractContextManager[Contents]]) -> None:
    check(contents, list(too_large_for_a_float(seed)))


def check(contents: Callable[..., AbstractContextManager[Contents]], odd: Sequence[Odd]) -> None:
    """Send them all; each value that cannot be stored is left out alone, and its payload kept."""
    with contents(vehicle_id(0)) as run:
        for each in odd:
            note(run, each)
        run.send([each.message for each in odd])
        reasons = run.reasons()
        told = [(each, reasons.get(each.payload, set())) for each in odd]
        assert not [(each, why) for each, why in told if not why <= each.reasons or bool(why) is not bool(each.reasons)]
        assert not_finite(run) == 0
        run.account(f"{len(odd)} kinds")


def not_finite(run: Contents) -> int:
    """Values in the table that are no numbers."""
    columns = run.query(
        "SELECT attname, attndims > 0 FROM pg_attribute WHERE attrelid = 'telemetry'::regclass "
        "AND (atttypid IN ('real'::regtype, 'double precision'::regtype, 'real[]'::regtype)) AND attnum > 0"
    )
    assert len(columns) > 50
    tests = [
        f"{n} && '{{NaN,Infinity,-Infinity}}'::real[]" if array else f"{n} IN ('NaN', 'Infinity', '-Infinity')"
        for n, array in columns
    ]
    [(count,)] = run.query(f"SELECT count(*) FROM telemetry WHERE {' OR '.join(tests)}")  # noqa: S608 - our own names
    return int(count)
