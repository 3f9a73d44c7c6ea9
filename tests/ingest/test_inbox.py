"""What waits for the writer comes out once and in the order of arrival, whether it was made ready on the way or not."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.inbox import MOST_BYTES_READY, Delivery, Inbox
from ingest.incoming import Incoming, read
from ingest.preparation import Prepared
from tests.support.some_batches import a_batch, a_message

if TYPE_CHECKING:
    from agent.connection import Connection

FULL = 3
AT_ONCE = timedelta(0)
NOWHERE = cast("Connection", None)
PREPARED = cast("Prepared", object())
INCOMING = [read(a_message(a_batch(seq=seq))) for seq in range(1, 41)]


class Prepares:
    """Stands in for the judging of a flush: notes what it was given."""

    def __init__(self) -> None:
        self.flushes: list[list[Incoming]] = []

    def __call__(self, flush: Sequence[Incoming]) -> Prepared:
        self.flushes.append(list(flush))
        return PREPARED


def put(inbox: Inbox, count: int, start: int = 0) -> list[Incoming]:
    these = INCOMING[start : start + count]
    for incoming in these:
        inbox.put(Delivery(NOWHERE, incoming))
    return these


def test_a_full_flush_is_made_ready_and_taken_as_it_is() -> None:
    prepares = Prepares()
    inbox = Inbox(FULL, prepares)
    these = put(inbox, FULL + 1)
    assert prepares.flushes == [these[:FULL]]
    assert inbox.messages == FULL + 1
    ready, rest = inbox.take(FULL, AT_ONCE), inbox.take(FULL, AT_ONCE)
    assert (ready.flush, ready.prepared) == (these[:FULL], PREPARED)
    assert (rest.flush, rest.prepared) == (these[FULL:], None)
    assert (inbox.messages, inbox.bytes) == (0, 0)


def test_a_flush_of_huge_payloads_is_not_made_ready() -> None:
    prepares = Prepares()
    inbox = Inbox(FULL, prepares)
    huge = replace(INCOMING[0], message=a_message(payload=bytes(MOST_BYTES_READY // FULL + 1)))
    for _ in range(FULL):
        inbox.put(Delivery(NOWHERE, huge))
    assert prepares.flushes == []
    assert inbox.take(FULL, AT_ONCE) == ([Delivery(NOWHERE, huge)] * FULL, None)


def test_without_anybody_to_prepare_nothing_is_made_ready() -> None:
    inbox = Inbox(FULL)
    these = put(inbox, 2 * FULL)
    assert inbox.take(FULL - 1, AT_ONCE) == ([Delivery(NOWHERE, each) for each in these[: FULL - 1]], None)


def test_what_is_forgotten_is_gone_ready_or_not() -> None:
    inbox = Inbox(FULL, Prepares())
    put(inbox, FULL + 1)
    assert inbox.bytes == sum(len(each.message.payload) for each in INCOMING[: FULL + 1])
    inbox.forget()
    assert (inbox.messages, inbox.bytes) == (0, 0)
    assert inbox.take(FULL, AT_ONCE).deliveries == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, FULL)), max_size=8))
def test_nothing_is_lost_doubled_or_overtaken(turns: list[tuple[int, int]]) -> None:
    inbox = Inbox(FULL, Prepares())
    arrived, taken = 0, list[Incoming]()
    for arriving, asked in turns:
        arrived += len(put(inbox, arriving, arrived))
        if asked:
            taken += inbox.take(asked, AT_ONCE).flush
    while inbox.messages:
        taken += inbox.take(FULL, AT_ONCE).flush
    assert taken == INCOMING[:arrived]
    assert inbox.bytes == 0


def test_a_writer_that_takes_meanwhile_overtakes_nobody() -> None:
    inbox = Inbox(FULL, Prepares())
    many = INCOMING * 50
    taken: list[Any] = []

    def take() -> None:
        rng = np.random.default_rng(1)
        while len(taken) < len(many):
            taken.extend(inbox.take(int(rng.integers(1, FULL + 1)), timedelta(milliseconds=1)).flush)

    writer = threading.Thread(target=take)
    writer.start()
    for incoming in many:
        inbox.put(Delivery(NOWHERE, incoming))
    writer.join(10)
    assert not writer.is_alive()
    assert all(a is b for a, b in zip(taken, many, strict=True))
