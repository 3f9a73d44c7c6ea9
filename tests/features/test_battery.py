"""The battery as a whole: steps of the charge across sleeps, and spread for the load."""

import numpy as np
import pytest

from features.battery import observe
from features.states import states
from features.window import Window
from tests.support.windows import a_window, minutes


def _observe(window: Window) -> dict[str, list[float]]:
    return {name: panel.values[:, 0].tolist() for name, panel in observe(window, states(window)).items()}


def _resting(charge: np.ndarray) -> Window:
    """Parked all the time; the charge at every ten minutes."""
    return a_window(minutes(), {"speed_kmh": 0.0, "hv_soc_pct": charge, "charge_state": 0.0})


@pytest.mark.parametrize(("woken", "step"), [(61.5, 1.5), (58.5, 0.0), (60.0, 0.0)])
def test_a_step_is_what_the_charge_shown_rises_by_across_a_sleep(woken: float, step: float) -> None:
    at = minutes()
    asleep = (at > 1600) & (at < 1900)
    assert _observe(_resting(np.where(asleep, np.nan, np.where(at < 1700, 60.0, woken))))["charge_step"] == [step]


def test_what_changes_awake_is_no_step() -> None:
    at = minutes()
    assert "charge_step" not in _observe(_resting(60.0 + at / 1000.0))


def test_a_short_sleep_says_nothing() -> None:
    at = minutes()
    asleep = (at > 1600) & (at < 1700)
    assert "charge_step" not in _observe(_resting(np.where(asleep, np.nan, np.where(at < 1650, 60.0, 61.5))))


def test_a_drive_between_two_readings_is_no_sleep() -> None:
    at = minutes()
    charge = np.where((at > 1600) & (at < 1900), np.nan, np.where(at < 1700, 60.0, 70.0))
    speed = np.where((at > 1650) & (at < 1750), 50.0, 0.0)
    window = a_window(at, {"speed_kmh": speed, "hv_soc_pct": charge, "charge_state": 0.0})
    assert "charge_step" not in _observe(window)


def test_the_spread_is_taken_for_the_load() -> None:
    at = minutes(2)
    window = a_window(at, {"speed_kmh": 80.0, "hv_current_a": -50.0, "module_temp_delta_c": 2.5})
    assert _observe(window)["module_spread"] == pytest.approx([1.0 / 2500.0])
    assert "modules_apart" not in _observe(window)
    light = a_window(at, {"speed_kmh": 80.0, "hv_current_a": -10.0, "module_temp_delta_c": 2.5})
    assert "module_spread" not in _observe(light)


def test_modules_and_health_are_the_day_s() -> None:
    at = minutes()
    today = at >= 1440
    signals: dict[str, np.ndarray | float] = {
        "speed_kmh": 0.0,
        "module_temp_delta_c": np.where(today, 2.0, 9.0),
        "hv_soh_pct": np.where(today, 91.0, 80.0),
    }
    assert _observe(a_window(at, signals)) == {"state_of_health": [91.0], "modules_apart": [2.0]}
