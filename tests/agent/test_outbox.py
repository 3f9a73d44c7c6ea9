"""The outbox against a model: what is kept, in which order, and what leaves it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.draft import Draft, new_boot
from agent.outbox import Outbox, SequenceError
from vehicle.batch import StoredAck
from vehicle.command import SendAgain
from vehicle.topics import Channel

VEHICLES = ("car-1", "car-2")
BOOTS = ("00000000000000aa", "00000000000000bb")
MOST_BYTES = 400


def a_draft(
    seq: int,
    *,
    vehicle_id: str = "car-1",
    boot: str = BOOTS[0],
    channel: Channel = Channel.TELEMETRY,
    payload: bytes = b"payload",
) -> Draft:
    return Draft(vehicle_id, boot, seq, channel, "application/msgpack", 3, payload)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


class OutboxMachine(RuleBasedStateMachine):
    """Appends, stored-acks, losses of the process and reopening, compared with a list."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "outbox.db"
        self.outbox = Outbox(self._path, max_bytes=MOST_BYTES)
        self.kept: list[Draft] = []
        self.last: dict[tuple[str, str], int] = {}
        self.dropped: set[tuple[str, str, int]] = set()
        self.covered: set[tuple[str, str, int]] = set()

    @rule(
        messages=st.lists(
            st.tuples(
                st.sampled_from(VEHICLES),
                st.sampled_from(BOOTS),
                st.sampled_from((Channel.TELEMETRY, Channel.EVENT)),
                st.integers(1, 120),
            ),
            max_size=6,
        )
    )
    def append(self, messages: list[tuple[str, str, Channel, int]]) -> None:
        drafts = []
        for vehicle_id, boot, channel, size in messages:
            seq = self.last[vehicle_id, boot] = self.last.get((vehicle_id, boot), 0) + 1
            drafts.append(a_draft(seq, vehicle_id=vehicle_id, boot=boot, channel=channel, payload=bytes(size)))
        removed = self.outbox.append(drafts)
        self.kept += drafts
        evicted = []
        while self.size() > MOST_BYTES and any(d.channel is Channel.TELEMETRY for d in self.kept):
            oldest = next(d for d in self.kept if d.channel is Channel.TELEMETRY)
            self.kept.remove(oldest)
            evicted.append(oldest)
        self.dropped |= {(d.vehicle_id, d.boot, d.seq) for d in evicted}
        assert len(removed) == len(evicted)

    @rule(
        vehicle_id=st.sampled_from(VEHICLES),
        boot=st.sampled_from(BOOTS),
        through=st.integers(0, 12),
        gaps=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), max_size=3),
    )
    def stored(self, vehicle_id: str, boot: str, through: int, gaps: list[tuple[int, int]]) -> None:
        missing = tuple((first, first + more) for first, more in gaps if first + more < through)
        ack = StoredAck(boot, through, missing)
        removed = self.outbox.remove_stored([(vehicle_id, ack)])
        covered = [d for d in self.kept if (d.vehicle_id, d.boot) == (vehicle_id, boot) and ack.covers(d.seq)]
        assert sorted(r.samples for r in removed) == sorted(d.samples for d in covered)
        self.kept = [d for d in self.kept if d not in covered]
        self.covered |= {(vehicle_id, boot, seq) for seq in range(1, through + 1) if ack.covers(seq)}

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        everything = [k for channel in (Channel.EVENT, Channel.TELEMETRY) for k in self.outbox.read(channel, 0, 1000)]
        chosen = data.draw(st.sampled_from(everything))
        self.outbox.give_up(chosen.position)
        self.kept.remove(chosen.draft)
        self.dropped.add((chosen.draft.vehicle_id, chosen.draft.boot, chosen.draft.seq))

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def confirmed(self, data: st.DataObject) -> None:
        everything = [k for channel in (Channel.EVENT, Channel.TELEMETRY) for k in self.outbox.read(channel, 0, 1000)]
        chosen = data.draw(st.lists(st.sampled_from(everything), unique_by=lambda kept: kept.position))
        removed = self.outbox.remove([kept.position for kept in chosen])
        assert sorted(r.position for r in removed) == sorted(kept.position for kept in chosen)
        self.kept = [draft for draft in self.kept if draft not in [kept.draft for kept in chosen]]

    @rule(
        vehicle_id=st.sampled_from(VEHICLES),
        boot=st.sampled_from(BOOTS),
        ranges=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), max_size=3),
        beyond=st.none() | st.integers(1, 12),
    )
    def asked(self, vehicle_id: str, boot: str, ranges: list[tuple[int, int]], beyond: int | None) -> None:
        last = self.last.get((vehicle_id, boot), 0)
        closed = tuple((first, first + more) for first, more in ranges)
        wanted = {seq for first, end in closed for seq in range(first, end + 1)}
        wanted = {seq for seq in wanted | set(range(beyond or last + 1, last + 1)) if seq <= last}
        here = {draft.seq for draft in self.kept if (draft.vehicle_id, draft.boot) == (vehicle_id, boot)}
        before = self.told()
        found = self.outbox.look_for(vehicle_id, SendAgain(boot, closed, beyond))
        kept = [self.outbox.get(position) for position in found.positions]
        assert [one.draft.seq for one in kept if one] == sorted(wanted & here)
        gone = {(vehicle_id, boot, seq) for seq in wanted - here}
        assert found.gone == bool(gone)
        assert found.lost == len(gone - before)
        assert self.told() == before | gone
        self.dropped |= gone
        self.covered -= gone

    @rule()
    def reopen(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self._path, max_bytes=MOST_BYTES)

    def size(self) -> int:
        return sum(len(draft.payload) for draft in self.kept)

    @invariant()
    def keeps_what_the_model_keeps(self) -> None:
        for channel in (Channel.EVENT, Channel.TELEMETRY):
            expected = [draft for draft in self.kept if draft.channel is channel]
            assert [kept.draft for kept in self.outbox.read(channel, 0, 1000)] == expected
        assert len(self.outbox) == len(self.kept)
        assert self.outbox.size_bytes == self.size()

    @invariant()
    def continues_every_sequence(self) -> None:
        for (vehicle_id, boot), last in self.last.items():
            assert self.outbox.next_seq(vehicle_id, boot) == last + 1

    @invariant()
    def tells_of_what_was_dropped_until_it_is_covered(self) -> None:
        assert self.dropped - self.covered <= self.told() <= self.dropped

    def told(self) -> set[tuple[str, str, int]]:
        ranges = [(vehicle_id, *told) for vehicle_id in VEHICLES for told in self.outbox.dropped(vehicle_id)]
        seqs = [(vehicle_id, boot, seq) for vehicle_id, boot, first, last in ranges for seq in range(first, last + 1)]
        assert len(seqs) == len(set(seqs))
        return set(seqs)

    def teardown(self) -> None:
        self.outbox.close()
        self._folder.cleanup()


OutboxMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=20)
TestOutbox = OutboxMachine.TestCase


def test_append_is_all_or_nothing(path: Path) -> None:
    outbox = Outbox(path)
    with pytest.raises(SequenceError, match="leaves a gap after 1"):
        outbox.append([a_draft(1), a_draft(3)])
    assert len(outbox) == 0
    assert outbox.next_seq("car-1", BOOTS[0]) == 1
    outbox.close()


def test_append_of_a_used_seq_keeps_the_first_payload(path: Path) -> None:
    outbox = Outbox(path)
    outbox.append([a_draft(1, payload=b"first"), a_draft(1, payload=b"second")])
    assert [kept.draft.payload for kept in outbox.read(Channel.TELEMETRY, 0, 10)] == [b"first"]
    outbox.close()


def test_full_outbox_drops_the_oldest_telemetry_and_says_so(path: Path) -> None:
    outbox = Outbox(path, max_bytes=30)
    outbox.append([a_draft(1, payload=bytes(10), channel=Channel.EVENT)])
    outbox.append([a_draft(seq, payload=bytes(10)) for seq in (2, 3, 4, 5)])
    assert [kept.draft.seq for kept in outbox.read(Channel.TELEMETRY, 0, 10)] == [4, 5]
    assert [kept.draft.seq for kept in outbox.read(Channel.EVENT, 0, 10)] == [1]
    assert outbox.dropped("car-1") == ((BOOTS[0], 2, 3),)
    assert outbox.boots() == [("car-1", BOOTS[0])]
    outbox.remove_stored([("car-1", StoredAck(BOOTS[0], 3))])
    assert outbox.dropped("car-1") == ()
    outbox.close()


def test_read_goes_on_behind_a_position(path: Path) -> None:
    outbox = Outbox(path)
    outbox.append([a_draft(seq) for seq in range(1, 6)])
    first = outbox.read(Channel.TELEMETRY, 0, 2)
    rest = outbox.read(Channel.TELEMETRY, first[-1].position, 10)
    assert [kept.draft.seq for kept in (*first, *rest)] == [1, 2, 3, 4, 5]
    assert outbox.get(first[0].position) == first[0]
    outbox.close()


def test_new_boots_differ_and_fit_the_wire() -> None:
    boots = {new_boot() for _ in range(100)}
    assert len(boots) == 100
    assert all(len(boot) == 16 and int(boot, 16) < 2**63 for boot in boots)
