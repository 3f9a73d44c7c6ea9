"""What a vehicle is told is safe, against a plain set of what is."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.acks import MOST_GAPS, BootRecord
from vehicle.batch import StoredAck

BOOT = "00000000000000aa"


@given(before=st.sets(st.integers(1, 60)), added=st.lists(st.integers(1, 60)))
def test_a_record_covers_what_was_added_and_nothing_else(before: set[int], added: list[int]) -> None:
    record = BootRecord(ack_of(before))
    for seq in added:
        record.add(seq)
    ack = record.stored_ack()
    assert {seq for seq in range(1, 70) if ack.covers(seq)} == before | set(added)
    assert ack == ack_of(before | set(added))


def ack_of(seqs: set[int]) -> StoredAck:
    through = max(seqs, default=0)
    missing = [seq for seq in range(1, through) if seq not in seqs]
    starts = [seq for seq in missing if seq - 1 not in missing]
    ends = [seq for seq in missing if seq + 1 not in missing]
    return StoredAck(BOOT, through, tuple(zip(starts, ends, strict=True)))


def test_an_ack_with_too_many_gaps_ends_before_the_next() -> None:
    record = BootRecord(StoredAck(BOOT, 0))
    for seq in range(2, 2 * MOST_GAPS + 20, 2):
        record.add(seq)
    ack = record.stored_ack()
    assert len(ack.missing) == MOST_GAPS
    assert ack.through == 2 * MOST_GAPS
    assert all(ack.covers(seq) == (seq % 2 == 0) for seq in range(1, ack.through + 1))
