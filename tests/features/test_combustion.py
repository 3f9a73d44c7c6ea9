"""A combustion engine's day: warm coolant and the alternator's best moments, of the running engine alone."""

import numpy as np
import pytest

from features.combustion import observe
from features.panel import Panel
from features.states import states
from tests.support.windows import a_window

DAY = 1440
"""Minutes from the start of the look-back to the day's."""


def observed(at: np.ndarray, **signals: np.ndarray | float) -> dict[str, Panel]:
    window = a_window(at, signals)
    return observe(window, states(window))


def test_the_coolant_counts_once_the_engine_has_run_for_a_quarter_of_an_hour() -> None:
    at = DAY + np.arange(40.0)
    coolant = np.where(at < DAY + 15, 40.0, 88.0)
    assert observed(at, engine_speed_rpm=1500.0, engine_coolant_temp_c=coolant)["engine_coolant"].values.item() == 88.0
    assert "engine_coolant" not in observed(at[:14], engine_speed_rpm=1500.0, engine_coolant_temp_c=coolant[:14])


def test_an_engine_that_was_off_has_to_warm_up_again() -> None:
    at = DAY + np.arange(60.0)
    speed = np.where((at > DAY + 20) & (at < DAY + 30), 0.0, 1500.0)
    coolant = np.where(at < DAY + 20, 88.0, 60.0)
    # From the fifteenth minute to the twentieth, and from the forty-fifth on.
    values = observed(at, engine_speed_rpm=speed, engine_coolant_temp_c=coolant)["engine_coolant"].values
    assert values.item() == 60.0
    silent = observed(np.concatenate([at[:15], at[40:54]]), engine_speed_rpm=1500.0, engine_coolant_temp_c=88.0)
    assert silent == {}


def test_the_voltage_is_that_of_the_days_best_moments_with_the_engine_running() -> None:
    at = DAY + np.arange(100.0)
    volts = np.where(at % 5 == 0, 14.4, 12.6)
    volts[:20] = 15.5
    speed = np.where(at < DAY + 20, 0.0, 2000.0)
    assert observed(at, engine_speed_rpm=speed, lv_voltage_v=volts)["charging_voltage"].values.item() == 14.4


def test_a_night_in_between_is_not_the_days() -> None:
    at = np.concatenate([np.arange(60.0), DAY + np.arange(30.0)])
    volts = np.where(at < DAY, 15.0, 14.0)
    found = observed(at, engine_speed_rpm=1500.0, lv_voltage_v=volts)["charging_voltage"]
    assert found.values.item() == pytest.approx(14.0)
    assert len(found) == 1


def test_a_car_without_an_engine_says_nothing() -> None:
    assert observed(DAY + np.arange(100.0), lv_voltage_v=14.0, engine_coolant_temp_c=90.0) == {}
