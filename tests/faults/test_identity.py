"""Scenarios 27 and 30: a message counts once, under the name of the car on whose topic it came."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from agent.connection import Message
from storage.ledger import BatchKey
from tests.support.faults.contents import Contents, as_sent, named, raw, tally
from tests.support.faults.load import EVENTS_EVERY, Batch, a_message, boot_of, standard_load, vehicle_id
from tests.support.faults.raw_publisher import RawPublisher
from tests.support.faults.sent import payload_of
from tests.support.some_batches import NOW
from vehicle.batch import EventBatch, Hello
from vehicle.codec import MESSAGEPACK
from vehicle.rejection import RejectionReason as Reason
from vehicle.topics import Channel
from vehicle.wire import encode_hello

pytestmark = pytest.mark.integration
Runs = Callable[..., AbstractContextManager[Contents]]

CARS: Final = tuple(map(vehicle_id, range(10)))
VICTIM: Final = CARS[0]


@pytest.mark.scenario("27 names of others", quick=1, full=5)
def test_a_payload_under_the_name_of_another_car(seed: int, contents: Runs) -> None:
    """Before, between and after the victim's own messages, on every channel and in names of every length."""
    rng = np.random.default_rng(seed)
    own = standard_load(seed, 200, vehicles=len(CARS))
    with contents(*CARS) as run:
        run.sent.add(own)
        messages = [as_sent(batch) for batch in own]
        for number in range(1, 101):
            key = BatchKey(str(rng.choice(CARS[1:])), boot_of(seed, 1 + number), 1)
            lie, user = spoofed(changed(a_message(seed, 0, 1, number)), key, in_user=number % 2 == 0)
            run.sent.add_bad(lie, key)
            channel = Channel.TELEMETRY if number % EVENTS_EVERY else Channel.EVENT
            messages.append(raw(key.vehicle_id, lie, MESSAGEPACK, user, channel))
        for number in range(1, 6):
            dropped = ((boot_of(seed, 1), 1, number),)
            lie = encode_hello(Hello(VICTIM, boot_of(seed, 1), "agent/1", "abc", NOW, dropped))
            run.sent.add_bad(lie)
            messages.append(raw(CARS[1], lie, MESSAGEPACK, {}, Channel.HELLO))
        for seq, length in enumerate((0, 1, 64, 65, 10_000, 50_000), start=1):
            key = BatchKey(CARS[1], boot_of(seed, 200), seq)
            lie, user = spoofed(replace(a_message(seed, 1, 200, seq), vehicle_id="x" * length), key, in_user=True)
            run.sent.add_bad(lie, key)
            messages.append(raw(CARS[1], lie, MESSAGEPACK, user))
        run.send([messages[place] for place in rng.permutation(len(messages))])
        assert {row.reason for row in run.kept()} == {Reason.VEHICLE_MISMATCH}
        assert VICTIM not in {row.vehicle_id for row in run.kept()}
        assert run.query("SELECT count(*) FROM batch_ledger WHERE kind = 'dropped'") == [(0,)]
        run.account("111 spoofed")


def spoofed(batch: Batch, key: BatchKey, *, in_user: bool) -> tuple[bytes, dict[str, str]]:
    """The payload of another car's batch and its user properties; the spy's name is in one of the two."""
    if in_user:
        return payload_of(batch), named(key)
    return payload_of(replace(batch, boot=key.boot, seq=key.seq)), {}


@pytest.mark.scenario("30 duplicates", quick=1, full=20)
def test_each_message_three_times(seed: int, contents: Runs) -> None:
    """With the DUP flag and without, over two connections, good ones and bad ones."""
    rng = np.random.default_rng(seed)
    good = standard_load(seed, 400, vehicles=len(CARS))
    unreadable = [BatchKey(str(rng.choice(CARS)), boot_of(seed, 2), seq) for seq in range(1, 51)]
    with contents(*CARS) as run:
        run.sent.add(good)
        messages = [as_sent(batch) for batch in good]
        for key in unreadable:
            payload = b"\xc1" + str(key).encode()
            run.sent.add_bad(payload, key)
            messages.append(raw(key.vehicle_id, payload, MESSAGEPACK, named(key)))
        with RawPublisher(run.broker, "first") as first, RawPublisher(run.broker, "second") as second:
            for place in rng.permutation(3 * len(messages)).tolist():
                message = messages[place % len(messages)]
                publisher = (first, second)[int(rng.integers(2))]
                assert publisher.publish(
                    message.topic.encode(),
                    message.payload,
                    duplicate=bool(rng.integers(2)),
                    content_type=message.content_type,
                    user=message.user,
                )
        run.settle()
        # An unreadable payload that comes again is a duplicate, too: its key is in the ledger.
        assert set(tally(run.kept()).values()) == {1}
        run.account(f"{3 * len(messages)} sent")
        assert run.duplicates() == 2 * len(messages)


@pytest.mark.scenario("30 names taken", quick=0, full=5)
def test_other_content_under_a_name_that_is_taken(seed: int, contents: Runs) -> None:
    """The first wins, in the same flush and later; what comes second is kept whole."""
    rng = np.random.default_rng(seed)
    good = standard_load(seed, 200, vehicles=len(CARS))
    with contents(*CARS) as run:
        run.sent.add(good)
        others = [payload_of(changed(batch)) for batch in good]
        first, second = (100, 100) if seed % 2 else (200, 0)
        run.send(pairs(good[:first], others[:first], rng) + [as_sent(batch) for batch in good[first:]])
        later = [as_sent(batch, other) for batch, other in zip(good[first:], others[first:], strict=True)]
        assert len(later) == second
        run.send(later)
        assert [row.payload for row in sorted(run.kept(), key=lambda row: others.index(row.payload))] == others
        assert {row.reason for row in run.kept()} == {Reason.ID_CONFLICT}
        run.sent.unnamed += others
        run.account(f"{len(others)} conflicts")


def pairs(good: Sequence[Batch], others: Sequence[bytes], rng: np.random.Generator) -> list[Message]:
    """Each batch, and some time after it the other payload under its name."""
    messages = [as_sent(batch) for batch in good]
    for batch, other in zip(good, others, strict=True):
        place = next(i for i, message in enumerate(messages) if message.payload == payload_of(batch))
        messages.insert(int(rng.integers(place + 1, len(messages) + 1)), as_sent(batch, other))
    return messages


def changed(batch: Batch) -> Batch:
    """Other content under the same name."""
    if isinstance(batch, EventBatch):
        return replace(batch, events=batch.events[:1])
    return replace(batch, columns={**batch.columns, "hv_soc_pct": np.full(len(batch.times), 12.5)})
