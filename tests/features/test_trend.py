"""Trends: what scattered observations prove."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.trend import trend

VALUES = st.lists(st.floats(-1e3, 1e3, allow_nan=False), min_size=5, max_size=25)


def test_a_straight_line_is_found_exactly() -> None:
    days = np.arange(8.0)
    line = trend(days, 12.0 - 0.5 * days)
    assert line is not None
    assert (line.slope, line.low, line.high, line.intercept) == (-0.5, -0.5, -0.5, 12.0)


def test_one_wild_observation_does_not_tilt_the_line() -> None:
    days = np.arange(9.0)
    values = 2.0 * days
    values[4] = 500.0
    line = trend(days, values)
    assert line is not None
    assert abs(line.slope - 2.0) < 0.01


def test_noise_proves_no_slope() -> None:
    rng = np.random.default_rng(4)
    lines = [trend(np.arange(10.0), rng.normal(size=10)) for _ in range(200)]
    wrong = sum(line is not None and line.proven != 0 for line in lines)
    assert wrong <= 20, "an interval of 95 % may miss zero in one of twenty cases"


def test_a_sensor_that_stands_still_proves_no_slope() -> None:
    values = np.array([5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 7.5])
    line = trend(np.arange(7.0), values)
    assert line is not None
    assert line.proven == 0.0


def test_two_points_are_no_trend() -> None:
    assert trend(np.array([0.0, 1.0]), np.array([1.0, 2.0])) is None


def test_three_points_leave_the_slope_open() -> None:
    line = trend(np.arange(3.0), np.array([1.0, 2.0, 3.0]))
    assert line is not None
    assert line.proven == 0.0
    assert math.isinf(line.low)


@given(VALUES, st.floats(-50, 50), st.floats(0.1, 10))
def test_shift_and_scale_carry_over(values: list[float], shift: float, scale: float) -> None:
    days = np.arange(float(len(values)))
    line, moved = trend(days, np.array(values)), trend(days, np.array(values) * scale + shift)
    assert line is not None
    assert moved is not None
    assert math.isclose(moved.slope, line.slope * scale, rel_tol=1e-6, abs_tol=1e-6)


@given(VALUES)
def test_the_interval_holds_the_slope(values: list[float]) -> None:
    line = trend(np.arange(float(len(values))), np.array(values))
    assert line is not None
    assert line.low <= line.slope <= line.high
    assert abs(line.proven) <= abs(line.slope) + 1e-12
