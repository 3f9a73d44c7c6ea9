"""Entries of the ledger in whatever order they become visible."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flows.entry_numbers import PATIENCE_S, EntryNumbers


@given(order=st.permutations(range(1, 30)), cuts=st.sets(st.integers(1, 28), max_size=5))
def test_every_entry_is_asked_for_until_it_was_seen(order: list[int], cuts: set[int]) -> None:
    numbers = EntryNumbers()
    seen: list[int] = []
    visible: set[int] = set()
    edges = [0, *sorted(cuts), len(order)]
    for first, last in pairwise(edges):
        visible |= set(order[first:last])
        asked = [number for number in visible if number > numbers.through or number in numbers.missing]
        seen += asked
        numbers.take(asked, 0.0)
    assert sorted(seen) == list(range(1, 30))


def test_what_was_rolled_back_is_not_waited_for_for_ever() -> None:
    numbers = EntryNumbers()
    numbers.take([1, 4], 0.0)
    assert numbers.missing.keys() == {2, 3}
    numbers.take([3], PATIENCE_S / 2)
    assert numbers.missing.keys() == {2}
    numbers.take([], PATIENCE_S)
    assert numbers.missing == {}
    assert numbers.through == 4
