from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from reports.axes import TimeAxis
from reports.frame import Mark, label_span, mark_rows

START = datetime(2026, 9, 1, tzinfo=UTC)
AXIS = TimeAxis(START, START + timedelta(days=10))
hours = st.lists(st.integers(-48, 400), max_size=6)


@given(hours)
def test_labels_in_one_row_never_touch(moments: list[int]) -> None:
    marks = tuple(Mark(START + timedelta(hours=hour), "appointment", "appointment") for hour in moments)
    rows = mark_rows(marks, AXIS)
    for (one, row), (other, other_row) in combinations(zip(marks, rows, strict=True), 2):
        left, right = sorted([label_span(one, AXIS), label_span(other, AXIS)])
        assert row != other_row or left[1] <= right[0]


def test_a_lone_label_needs_one_row() -> None:
    assert mark_rows((Mark(START, "now", "now"),), AXIS) == [0]
    assert mark_rows((), AXIS) == []
