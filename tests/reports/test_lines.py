from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reports.lines import finite, strokes, thin
from vehicle.finding import Trace

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


def a_trace(values: list[float], step: timedelta = timedelta(minutes=1)) -> Trace:
    times = np.datetime64("2026-09-01", "us") + np.arange(len(values)) * np.timedelta64(step)
    return Trace("signal", "V", times, np.array(values, dtype=np.float64))


@given(numbers, st.integers(2, 60))
def test_thinning_keeps_the_order_and_both_extremes(values: list[float], most: int) -> None:
    trace = a_trace(values)
    shown = thin(trace, most)
    assert len(shown.values) <= max(most, 2)
    assert (np.diff(shown.times.astype(np.int64)) > 0).all()
    assert shown.values.min() == trace.values.min()
    assert shown.values.max() == trace.values.max()


def test_what_is_no_number_is_left_out_and_the_rest_brought_in_order() -> None:
    trace = a_trace([1.0, np.nan, 3.0, np.inf])
    mixed = Trace("signal", "V", trace.times[::-1], trace.values[::-1])
    assert finite(mixed).values.tolist() == [1.0, 3.0]


@given(numbers)
def test_strokes_hold_every_sample_once(values: list[float]) -> None:
    times = a_trace(values).times
    parts = strokes(times, timedelta(days=1))
    assert np.concatenate([times[part] for part in parts]).tolist() == times.tolist()


def test_a_hole_stays_a_hole() -> None:
    times = np.concatenate([a_trace([0.0] * 50).times, a_trace([0.0] * 50).times + np.timedelta64(5, "h")])
    assert strokes(times, timedelta(hours=6)) == [slice(0, 50), slice(50, 100)]


def test_a_trace_of_one_sample_a_day_is_one_line() -> None:
    daily = a_trace([0.0] * 20, timedelta(days=1)).times
    assert strokes(daily, timedelta(days=20)) == [slice(0, 20)]
    assert strokes(daily[:0], timedelta(days=20)) == []
