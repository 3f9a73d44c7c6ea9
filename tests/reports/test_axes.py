from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.axes import TimeAxis, ValueAxis

START = datetime(2026, 9, 1, 6, 12, tzinfo=UTC)
starts = st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware by timezones
values = st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=30)


@given(starts, st.timedeltas(timedelta(minutes=3), timedelta(days=9000)))
def test_time_ticks_are_few_in_order_and_on_the_axis(start: datetime, span: timedelta) -> None:
    ticks = TimeAxis(start, start + span).ticks()
    positions = [tick.position for tick in ticks]
    assert len(ticks) <= 8
    assert all(0 <= position <= 1 for position in positions)
    assert all(earlier < later for earlier, later in pairwise(positions))


@pytest.mark.parametrize(
    ("span", "labels", "title"),
    [
        (timedelta(minutes=40), ["06:20", "06:30", "06:40", "06:50"], "hours (UTC), 1 Sep 2026"),
        (timedelta(hours=30), ["12:00", "18:00", "2 Sep", "06:00", "12:00"], "hours (UTC), 1 Sep 2026"),
        (timedelta(days=25), ["7 Sep", "14 Sep", "21 Sep"], "days (UTC), 2026"),
        (timedelta(days=150), ["Oct 2026", "Nov 2026", "Dec 2026", "Jan 2027"], "months (UTC)"),
    ],
)
def test_the_unit_fits_the_length(span: timedelta, labels: list[str], title: str) -> None:
    axis = TimeAxis(START, START + span)
    assert [tick.label for tick in axis.ticks()] == labels
    assert axis.title() == title


def test_times_lie_where_they_belong() -> None:
    axis = TimeAxis(START, START + timedelta(hours=4))
    times = np.array(["2026-09-01T06:12", "2026-09-01T07:12", "2026-09-01T11:12"], dtype="datetime64[m]")
    assert axis.positions(times).tolist() == [0.0, 0.25, 1.25]
    assert axis.position(START + timedelta(hours=3)) == 0.75


@given(values)
def test_a_value_axis_holds_every_value_and_some_ticks(numbers: list[float]) -> None:
    axis = ValueAxis.around(np.array(numbers))
    positions = axis.positions(np.array(numbers))
    assert ((positions >= -1e-9) & (positions <= 1 + 1e-9)).all()
    assert 1 <= len(axis.ticks()) <= 12


def test_ticks_of_values_are_round_and_written_alike() -> None:
    axis = ValueAxis.around(np.array([11.98, 12.61]))
    assert [tick.label for tick in axis.ticks()] == ["12.0", "12.2", "12.4", "12.6"]


def test_a_measure_that_is_never_negative_starts_at_nought() -> None:
    assert ValueAxis.around(np.array([0.2, 9.0])).low == 0.0


@pytest.mark.parametrize("numbers", [[], [np.nan], [0.0, 0.0], [-7.5]])
def test_nothing_to_scale_is_still_an_axis(numbers: list[float]) -> None:
    axis = ValueAxis.around(np.array(numbers, dtype=np.float64))
    assert axis.low < axis.high
