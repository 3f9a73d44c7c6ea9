"""Scenarios 21 and 22: what is no telemetry goes to quarantine, byte for byte, and stops nothing."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec
import numpy as np
import pytest

from storage.ledger import BatchKey
from tests.support.faults.bad_payloads import BOOT, BadPayload, duplicate_names, malformed, wrong_types
from tests.support.faults.contents import Contents, as_sent, named, raw, tally
from tests.support.faults.load import standard_load, vehicle_id
from vehicle.batch import TelemetryBatch
from vehicle.codec import JSON, MESSAGEPACK
from vehicle.topics import Channel, topic
from vehicle.wire import encode_telemetry

pytestmark = pytest.mark.integration

CARS = tuple(map(vehicle_id, range(10)))
CAR = CARS[0]
"""It sends good messages, too."""


def mix(run: Contents, bad: Sequence[BadPayload], seed: int) -> None:
    """Send bad payloads, every other with a name, among as many good ones, in random order."""
    good = standard_load(seed, len(bad), vehicles=len(CARS))
    run.sent.add(good)
    messages = [as_sent(batch) for batch in good]
    for number, each in enumerate(bad, start=1):
        key = BatchKey(CAR, BOOT, number // 2) if number % 2 == 0 else None
        run.sent.add_bad(each.payload, key)
        messages.append(raw(CAR, each.payload, each.content_type, named(key) if key else {}))
    order = np.random.default_rng(seed).permutation(len(messages))
    run.send([messages[place] for place in order])


def check_kept(run: Contents, bad: Sequence[BadPayload]) -> None:
    """Each once, whole, and for a reason that fits."""
    assert tally(run.kept()) == Counter((topic(CAR, Channel.TELEMETRY), each.payload) for each in bad)
    reasons = run.reasons()
    wrong = {each.what: reasons[each.payload] for each in bad if not reasons[each.payload] <= each.reasons}
    assert not wrong


@pytest.mark.scenario("21 malformed payloads", quick=1, full=20)
def test_malformed_payloads(seed: int, contents: Callable[..., AbstractContextManager[Contents]]) -> None:
    bad = malformed(CAR, 1000, np.random.default_rng(seed))
    with contents(*CARS) as run:
        mix(run, bad, seed)
        check_kept(run, bad)
        run.account(f"{len({each.what for each in bad})} kinds")


@pytest.mark.scenario("22 wrong types", quick=1, full=5)
def test_wrong_types(seed: int, contents: Callable[..., AbstractContextManager[Contents]]) -> None:
    bad = wrong_types(CAR)
    with contents(*CARS) as run:
        mix(run, bad, seed)
        check_kept(run, bad)
        run.account(f"{len(bad)} kinds")


@pytest.mark.scenario("22 more than asked for", quick=0, full=1)
def test_more_than_asked_for(seed: int, contents: Callable[..., AbstractContextManager[Contents]]) -> None:
    """A field that nobody knows changes nothing, a signal that nobody knows is kept beside the others."""
    good = [batch for batch in standard_load(seed, 20, vehicles=1) if isinstance(batch, TelemetryBatch)]
    kinds: dict[str, Any] = {JSON: msgspec.json, MESSAGEPACK: msgspec.msgpack}
    cup_holder = ["left", None, 1.5, {"full": True}, [1, 2]]
    with contents(CAR) as run:
        messages = []
        for batch, (kind, codec) in zip(good, itertools.cycle(kinds.items()), strict=False):
            message = codec.decode(encode_telemetry(batch, kind)) | {"mood": "good", "": None}
            message["s"]["cup_holder"] = cup_holder
            run.expect(batch, codec.encode(message))
            messages.append(as_sent(batch, codec.encode(message), None))
        run.send(messages)
        rows = run.query("SELECT extra FROM telemetry ORDER BY time")
        beside = [{"cup_holder": value} if value is not None else None for value in cup_holder]
        assert [extra for (extra,) in rows] == beside * len(good)
        assert not run.kept()
        run.account()


@pytest.mark.scenario("21 names that stand twice", quick=1, full=1)
def test_names_that_stand_twice(seed: int, contents: Callable[..., AbstractContextManager[Contents]]) -> None:
    bad = duplicate_names(CAR)
    with contents(*CARS) as run:
        mix(run, bad, seed)
        check_kept(run, bad)
        run.account()
