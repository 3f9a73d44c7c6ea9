"""What a car drove while it was silent."""

import numpy as np
import pytest

from features.link import observe
from features.states import states
from tests.support.windows import a_window, minutes

AT = minutes(5)
KM = 1000.0 + np.clip(AT - 1800.0, 0.0, 120.0)
"""A kilometre a minute for two hours of the day."""


def _unseen(kept: np.ndarray, km: np.ndarray = KM) -> float | None:
    window = a_window(AT[kept], {"speed_kmh": 0.0, "odometer_km": km[kept]})
    panels = observe(window, states(window))
    return panels["unseen_driving"].values.item() if panels else None


def test_nothing_is_unseen_of_a_car_that_is_heard() -> None:
    assert _unseen(np.ones(len(AT), dtype=bool)) == 0.0


def test_what_was_driven_in_a_silence_is_unseen() -> None:
    assert _unseen((AT <= 1830) | (AT >= 1860)) == pytest.approx(25.0)


def test_a_silence_asleep_hides_nothing() -> None:
    assert _unseen((AT < 1500) | (AT >= 1795)) == 0.0


def test_a_silence_over_midnight_belongs_to_the_day_on_which_it_ends() -> None:
    over_midnight = 1000.0 + np.clip(AT - 1380.0, 0.0, 120.0)
    assert _unseen((AT <= 1380) | (AT >= 1470), over_midnight) == pytest.approx(75.0)


def test_a_reading_that_is_missing_is_no_silence() -> None:
    km = np.where((AT > 1830) & (AT < 1860), np.nan, KM)
    assert _unseen(np.ones(len(AT), dtype=bool), km) == 0.0


def test_a_day_without_a_drive_says_nothing() -> None:
    assert _unseen(np.ones(len(AT), dtype=bool), np.full(len(AT), 1000.0)) is None
