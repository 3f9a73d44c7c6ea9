"""Messages at which the process ends are found, whether it ends while it reads or while it stores, and no others."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from agent.connection import Message
from ingest.incoming import Incoming, read
from ingest.poison import CULPRIT_AFTER, SUSPECT_AFTER, PoisonGuard, Suspect
from tests.support.some_batches import a_batch, a_message
from vehicle.batch import TelemetryBatch
from vehicle.rejection import Rejection, RejectionReason

GOOD, BAD, WORSE = (a_message(a_batch(seq=seq)) for seq in (1, 2, 3))


def a_guard(folder: Path | None) -> PoisonGuard:
    guard = PoisonGuard(folder, "test")
    guard.open()
    return guard


class Died(BaseException):
    """Stands in for the end of the process: nothing that it has opened is closed in order."""


def die_at(*bad: Message) -> Callable[[Message], None]:
    def touch(message: Message) -> None:
        if message in bad:
            raise Died

    return touch


HEALTHY = die_at()


def run(
    folder: Path,
    messages: Sequence[Message],
    *,
    reading: Callable[[Message], None] = HEALTHY,
    preparing: Callable[[Message], None] = HEALTHY,
    storing: Callable[[Message], None] = HEALTHY,
) -> list[Incoming] | None:
    """One process that receives and stores messages; what it has stored, or None if it ended before."""
    guard = a_guard(folder)

    def touched(message: Message) -> Incoming:
        reading(message)
        return read(message)

    reader = guard.reader(touched)
    stored: list[Incoming] = []
    with suppress(Died):
        flush = [reader(message) for message in messages]
        with guard.preparing(flush) as prepared:
            for incoming in prepared:
                preparing(incoming.message)
        for portion in guard.portions(flush):
            with guard.at_work(portion) as incomings:
                for incoming in incomings:
                    # A message in quarantine is stored without its content being looked at.
                    if not isinstance(incoming.content, Rejection):
                        storing(incoming.message)
            stored += incomings
        guard.close()
        return stored
    return None


def refused(stored: list[Incoming] | None) -> list[Message]:
    assert stored is not None
    return [
        incoming.message
        for incoming in stored
        if isinstance(incoming.content, Rejection) and incoming.content.reason is RejectionReason.POISON
    ]


def test_what_ends_the_process_while_read_is_refused_after_three_ends(tmp_path: Path) -> None:
    for _ in range(SUSPECT_AFTER):
        assert run(tmp_path, [GOOD, BAD, WORSE], reading=die_at(BAD)) is None
    stored = run(tmp_path, [GOOD, BAD, WORSE], reading=die_at(BAD))
    assert refused(stored) == [BAD]
    assert [incoming.key for incoming in stored or ()] == [read(message).key for message in (GOOD, BAD, WORSE)]


def test_what_ends_the_process_while_stored_is_told_from_its_neighbours(tmp_path: Path) -> None:
    for _ in range(SUSPECT_AFTER + CULPRIT_AFTER):
        assert run(tmp_path, [GOOD, BAD, WORSE], storing=die_at(BAD)) is None
    assert refused(run(tmp_path, [GOOD, BAD, WORSE], storing=die_at(BAD))) == [BAD]


def test_what_ends_the_process_while_made_ready_is_told_from_its_neighbours(tmp_path: Path) -> None:
    bad = die_at(BAD)
    for _ in range(SUSPECT_AFTER + CULPRIT_AFTER):
        assert run(tmp_path, [GOOD, BAD, WORSE], preparing=bad, storing=bad) is None
    assert refused(run(tmp_path, [GOOD, BAD, WORSE], preparing=bad, storing=bad)) == [BAD]


def test_what_is_made_ready_is_accused_beside_what_is_stored(tmp_path: Path) -> None:
    for _ in range(SUSPECT_AFTER):
        guard = a_guard(tmp_path)
        reader = guard.reader(read)
        with suppress(Died), guard.at_work([reader(GOOD)]), guard.preparing([reader(BAD)]):
            raise Died
    assert all(isinstance(a_guard(tmp_path).reader(read)(message), Suspect) for message in (GOOD, BAD))


def test_two_culprits_in_one_flush_are_both_found(tmp_path: Path) -> None:
    bad = die_at(BAD, WORSE)
    ends = 0
    while (stored := run(tmp_path, [GOOD, BAD, WORSE], storing=bad)) is None:
        ends += 1
        assert ends <= SUSPECT_AFTER + 2 * CULPRIT_AFTER
    assert refused(stored) == [BAD, WORSE]


def test_who_is_suspected_without_fault_is_stored_and_suspected_no_more(tmp_path: Path) -> None:
    for _ in range(SUSPECT_AFTER):
        assert run(tmp_path, [GOOD, BAD], storing=die_at(BAD)) is None
    guard = a_guard(tmp_path)
    reader = guard.reader(read)
    suspects = [reader(message) for message in (GOOD, BAD)]
    assert all(isinstance(each, Suspect) for each in suspects)
    for portion in guard.portions(suspects):
        with guard.at_work(portion) as (incoming,):
            assert isinstance(incoming.content, TelemetryBatch)
    assert isinstance(reader(GOOD).content, TelemetryBatch)


def test_a_process_that_ends_in_order_or_waits_accuses_nobody(tmp_path: Path) -> None:
    for _ in range(2 * SUSPECT_AFTER):
        assert refused(run(tmp_path, [GOOD, BAD])) == []
    for _ in range(2 * SUSPECT_AFTER):
        guard = a_guard(tmp_path)
        with suppress(Died), guard.at_work([guard.reader(read)(GOOD)]):
            guard.rest()
            raise Died
    assert refused(run(tmp_path, [GOOD])) == []


def test_a_culprit_is_named_to_the_process_that_finds_it_out_only(tmp_path: Path) -> None:
    for _ in range(SUSPECT_AFTER):
        assert a_guard(tmp_path / "other").culprits == []
        run(tmp_path, [BAD], reading=die_at(BAD))
    assert a_guard(tmp_path).culprits == [read(BAD).sha256]
    assert a_guard(tmp_path).culprits == []
    assert refused(run(tmp_path, [BAD], reading=die_at(BAD))) == [BAD]


def test_without_a_folder_or_a_readable_memory_nobody_is_suspected(tmp_path: Path) -> None:
    (tmp_path / "test.ends").write_text("{")
    for folder in (None, tmp_path, tmp_path / "test.ends"):
        reader = a_guard(folder).reader(read)
        assert isinstance(reader(GOOD).content, TelemetryBatch)


def test_an_oversized_payload_is_left_to_the_reader(tmp_path: Path) -> None:
    reader = a_guard(tmp_path).reader(read)
    content = reader(a_message(payload=b"x" * 70_000)).content
    assert isinstance(content, Rejection)
    assert content.reason is RejectionReason.TOO_LARGE


def test_the_notes_outlive_a_process_that_ends_at_once(tmp_path: Path) -> None:
    for _ in range(SUSPECT_AFTER):
        child = os.fork()
        if not child:
            a_guard(tmp_path).reader(lambda _: os._exit(7))(BAD)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert a_guard(tmp_path).culprits == [read(BAD).sha256]


def test_three_threads_may_not_read(tmp_path: Path) -> None:
    guard = a_guard(tmp_path)
    guard.reader(read)
    guard.reader(read)
    with pytest.raises(ValueError, match="2 threads"):
        guard.reader(read)
