"""The low-voltage battery's rests and dips."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from features.low_voltage import observe
from features.states import states
from features.window import Window
from tests.support.windows import a_window, minutes

EVENING = 1440 + 600.0
"""Minute at which the drive of the day ends: 10:00."""


def _day(volts: np.ndarray, **more: ArrayLike) -> Window:
    at = minutes()
    speed = np.where((at > EVENING - 60) & (at <= EVENING), 40.0, 0.0)
    converter = (speed > 0) * 1.0
    return a_window(at, {"speed_kmh": speed, "dcdc_enabled": converter, "lv_voltage_v": volts, **more})


def _rest(window: Window) -> list[float]:
    panels = observe(window, states(window))
    return panels["lv_rest_voltage"].values[:, 0].tolist() if "lv_rest_voltage" in panels else []


def test_the_rest_voltage_is_read_between_the_third_and_the_sixth_hour() -> None:
    at = minutes()
    volts = 13.0 - 0.1 * np.clip((at - EVENING) / 60, 0, None)
    window = _day(volts)
    assert _rest(window) == [pytest.approx(13.0 - 0.1 * 4.417, abs=0.01)]
    known_at = observe(window, states(window))["lv_rest_voltage"].times[0]
    assert str(known_at) == "2026-03-02T16:00:00.000000", "six hours after the drive"


def test_a_spike_does_not_count() -> None:
    at = minutes()
    volts = np.where(at == EVENING + 240, 9.0, 12.6)
    assert _rest(_day(volts)) == [12.6]


def test_a_rest_cut_short_tells_nothing() -> None:
    at = minutes()
    converter = ((at == EVENING) | (at == EVENING + 300)) * 1.0
    window = a_window(at, {"speed_kmh": 0.0, "dcdc_enabled": converter, "lv_voltage_v": 12.6})
    known_at = observe(window, states(window))["lv_rest_voltage"].times
    assert known_at.astype(str).tolist() == ["2026-03-02T21:00:00.000000"], "only the one after the top-up"


def test_a_rest_whose_beginning_was_not_seen_tells_nothing() -> None:
    window = a_window(minutes(), {"speed_kmh": 0.0, "dcdc_enabled": 0.0, "lv_voltage_v": 12.1})
    assert _rest(window) == []


def test_without_word_of_the_converter_a_high_voltage_is_support() -> None:
    at = minutes()
    volts = np.where(at <= EVENING, 14.2, 12.5)
    window = a_window(at, {"lv_voltage_v": volts})
    assert _rest(window) == [12.5]


def test_the_dip_is_the_fall_at_the_end_of_a_rest() -> None:
    at = minutes()
    volts = np.where(at == EVENING - 60, 11.4, 12.7)
    window = _day(volts)
    dips = observe(window, states(window))["lv_wake_dip"]
    assert dips.values[:, 0].tolist() == [pytest.approx(1.3)]


def test_yesterdays_rests_are_not_told_again() -> None:
    at = minutes()
    converter = (at == 300) * 1.0
    window = a_window(at, {"speed_kmh": 0.0, "dcdc_enabled": converter, "lv_voltage_v": 12.5})
    assert _rest(window) == [], "its sixth hour was at 11:00 of the day before"


def test_without_voltage_there_is_nothing() -> None:
    window = a_window(minutes(), {"speed_kmh": 0.0})
    assert observe(window, states(window)) == {}
