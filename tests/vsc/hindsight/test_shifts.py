"""Fires per shift: every fire in one shift, quiet shifts counted, shifts at fixed hours."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.hindsight.shifts import ShiftLoad, shift_load

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LENGTHS = st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24])


def at(hours: float) -> datetime:
    return START + hours * HOUR


def test_shifts_change_at_fixed_hours() -> None:
    fires = [at(7.99), at(8), at(15.9), at(16), at(40)]
    assert shift_load(fires, (START, at(48))) == ShiftLoad(6, round(5 / 6, 4), 2, 2)
    assert shift_load(fires, (START, at(48)), 24 * HOUR) == ShiftLoad(2, 2.5, 4, 4)


def test_a_span_that_begins_within_a_shift_counts_it() -> None:
    assert shift_load([at(5)], (at(4), at(9))) == ShiftLoad(2, 0.5, 1, 1)


def test_one_busy_shift_in_twenty_is_not_the_usual_one() -> None:
    crowd = [at(1)] * 30
    assert shift_load(crowd, (START, at(8 * 20))).p95 == 0
    assert shift_load(crowd, (START, at(8 * 19))).p95 == 30


def test_nothing_is_seen_of_no_time() -> None:
    assert shift_load([START], (START, START)) == ShiftLoad(0, 0.0, 0, 0)


@pytest.mark.parametrize("hours", [0, 5, 36, -8])
def test_a_day_is_a_whole_number_of_shifts(hours: int) -> None:
    with pytest.raises(ValueError, match="whole number"):
        shift_load([], (START, at(24)), hours * HOUR)


@given(st.lists(st.floats(-10, 200), max_size=40), st.integers(1, 190), LENGTHS)
def test_every_fire_inside_falls_into_one_shift(hours: list[float], until: int, length: int) -> None:
    load = shift_load(map(at, hours), (START, at(until)), length * HOUR)
    inside = sum(0 <= (at(each) - START) / HOUR < until for each in hours)
    assert load.shifts == -(-until // length)
    assert load.mean == pytest.approx(inside / load.shifts, abs=1e-4)
    assert 0 <= load.p95 <= load.max <= inside
    assert load.max >= load.mean - 1e-4
