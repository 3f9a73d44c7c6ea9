"""What counts as flat."""

import numpy as np
import pytest

from benchmarks.trend import judge

MINUTES = [60.0 * (minute + 1) for minute in range(60)]


def test_noise_around_a_level_is_flat() -> None:
    values = 100 + np.random.default_rng(1).normal(0, 3, 60)
    assert judge("rss", MINUTES, values.tolist(), floor=1).flat


def test_a_leak_is_not_flat_and_its_slope_is_told() -> None:
    values = 100 + np.arange(60) / 4 + np.random.default_rng(1).normal(0, 1, 60)
    verdict = judge("rss", MINUTES, values.tolist(), floor=1)
    assert not verdict.flat
    assert verdict.slope_per_hour == pytest.approx(15, rel=0.1)


def test_a_rise_below_the_floor_means_nothing() -> None:
    verdict = judge("handles", MINUTES, [7.0] * 30 + [8.0] * 30, floor=1)
    assert verdict.flat


def test_settling_at_the_beginning_is_left_out() -> None:
    assert judge("rss", MINUTES, [20.0, 40.0, 60.0, 80.0, 90.0] + [100.0] * 55, floor=1).flat


def test_one_wild_minute_does_not_tilt_the_line() -> None:
    assert judge("p99", MINUTES, [0.2] * 59 + [9.0], floor=0.1).flat
