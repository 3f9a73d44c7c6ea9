"""What is known of a missing range stays with what is left of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.missing import GapLimits, Missing, asked, restored, seen
from storage.sequence_gaps import SequenceGap

NOW = datetime(2026, 9, 1, tzinfo=UTC)
LIMITS = GapLimits(timedelta(seconds=30), timedelta(minutes=5))

seqs = st.sets(st.integers(1, 40))


def ranges(missing: set[int]) -> list[tuple[int, int]]:
    starts = sorted(seq for seq in missing if seq - 1 not in missing)
    ends = sorted(seq for seq in missing if seq + 1 not in missing)
    return list(zip(starts, ends, strict=True))


@given(before=seqs, filled=seqs, new=st.sets(st.integers(41, 60)))
def test_what_is_left_keeps_its_time_and_what_is_new_gets_one(
    before: set[int], filled: set[int], new: set[int]
) -> None:
    old = seen((), ranges(before), 100.0, LIMITS)
    now = seen(old, ranges((before - filled) | new), 110.0, LIMITS)
    assert [(each.first, each.last) for each in now] == ranges((before - filled) | new)
    for each in now:
        crosses = each.first <= 40 < each.last
        assert each.ask_at == (130.0 if each.last <= 40 and not crosses else 140.0)


def test_what_was_entered_of_a_range_holds_for_its_parts() -> None:
    gap = SequenceGap("car", "boot", 2, 9, NOW, asked=2, asked_at=NOW)
    left = seen([restored(gap, 0.0, LIMITS)], [(2, 3), (6, 9)], 10.0, LIMITS)
    assert [each.entered for each in left] == [
        SequenceGap("car", "boot", 2, 3, NOW, asked=2, asked_at=NOW),
        SequenceGap("car", "boot", 6, 9, NOW, asked=2, asked_at=NOW),
    ]


def test_the_pauses_between_two_requests_double_up_to_the_longest() -> None:
    missing = Missing(2, 9, 0.0, SequenceGap("car", "boot", 2, 9, NOW))
    at, pauses = 0.0, []
    for _ in range(6):
        missing = asked(missing, at, NOW, LIMITS)
        pauses.append(missing.ask_at - at)
        at = missing.ask_at
    assert pauses == [60, 120, 240, 300, 300, 300]
    assert missing.entered
    assert missing.entered.asked == 6
    assert LIMITS.pause_s(10**9) == 300


def test_what_is_no_gap_yet_is_not_asked_for() -> None:
    with pytest.raises(ValueError, match="not held to be a gap"):
        asked(Missing(2, 9, 0.0), 0.0, NOW, LIMITS)
