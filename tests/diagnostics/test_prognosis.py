"""Remaining useful life."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.prognosis import remaining_life
from vehicle.moment import instant

START = datetime(2026, 3, 1, tzinfo=UTC)


def _times(days: np.ndarray) -> np.ndarray:
    return np.asarray(instant(START) + (days * 86400e6).astype("timedelta64[us]"))


def test_a_straight_course_ends_when_it_meets_the_limit() -> None:
    days = np.arange(7.0)
    life = remaining_life(_times(days), 12.6 - 0.05 * days, 11.8)
    assert life is not None
    assert life.expected_days == pytest.approx(10.0)
    assert life.low_days == pytest.approx(10.0)


def test_a_rising_course_has_a_limit_above() -> None:
    days = np.arange(7.0)
    life = remaining_life(_times(days), 20.0 + 5.0 * days, 80.0)
    assert life is not None
    assert life.expected_days == pytest.approx(6.0)


def test_a_logarithmic_course_is_straight_on_its_scale() -> None:
    days = np.arange(7.0)
    life = remaining_life(_times(days), 6400.0 * 0.5**days, 100.0 / 16, logarithmic=True)
    assert life is not None
    assert life.expected_days == pytest.approx(4.0)


@pytest.mark.parametrize(
    "values",
    [np.full(7, 12.4), 12.4 + 0.05 * np.arange(7.0), np.array([12.4, 12.6, 12.3, 12.7, 12.4, 12.6, 12.5])],
    ids=["flat", "away from the limit", "noise"],
)
def test_without_a_proven_approach_there_is_no_figure(values: np.ndarray) -> None:
    assert remaining_life(_times(np.arange(7.0)), values, 11.8) is None


@pytest.mark.parametrize("count", [0, 1, 4])
def test_few_observations_give_no_figure(count: int) -> None:
    days = np.arange(float(count))
    assert remaining_life(_times(days), 12.6 - 0.1 * days, 11.8) is None


def test_what_lies_beyond_a_year_is_not_told() -> None:
    days = np.arange(7.0)
    assert remaining_life(_times(days), 12.6 - 0.001 * days, 11.8) is None


def test_only_the_last_week_counts() -> None:
    days = np.arange(20.0)
    values = np.where(days < 13, 12.8, 12.8 - 0.1 * (days - 13))
    life = remaining_life(_times(days), values, 11.8)
    assert life is not None
    assert life.expected_days == pytest.approx(4.0, abs=0.1)


@given(st.lists(st.floats(-100, 100), min_size=5, max_size=12), st.floats(-200, 200))
def test_the_interval_holds_the_expected_life(values: list[float], limit: float) -> None:
    life = remaining_life(_times(np.arange(len(values)) / 2), np.array(values), limit)
    if life is not None:
        assert 0 <= life.low_days <= life.expected_days <= life.high_days
