"""The inlet's temperature in each charge."""

import numpy as np
import pytest

from features.charge_inlet import observe
from features.states import states
from features.window import Window
from tests.support.windows import a_window, minutes
from vehicle.signals import CATALOGUE

CHARGING = float(CATALOGUE["charge_state"].values.index("Charging"))


def _window(inlet: np.ndarray | float, amperes: float, hours: tuple[float, float] = (26.0, 30.0)) -> Window:
    at = minutes()
    charging = (at >= hours[0] * 60) & (at < hours[1] * 60)
    return a_window(
        at,
        {
            "speed_kmh": 0.0,
            "ambient_temp_c": 10.0,
            "charge_state": np.where(charging, CHARGING, 0.0),
            "charge_current_a": np.where(charging, amperes, np.nan),
            "charge_inlet_temp_c": np.where(charging, inlet, np.nan),
        },
    )


def test_the_rise_is_above_the_air() -> None:
    window = _window(34.0, 16.0)
    panels = observe(window, states(window))
    assert {name: panel.values.item() for name, panel in panels.items()} == {
        "inlet_rise": 24.0,
        "inlet_rise_ac": 24.0,
        "inlet_temp": 34.0,
    }


def test_direct_current_is_not_taken_for_alternating() -> None:
    window = _window(60.0, 300.0)
    assert set(observe(window, states(window))) == {"inlet_rise", "inlet_temp"}


def test_one_wild_reading_does_not_count() -> None:
    at = minutes()
    window = _window(np.where(at == 27 * 60, 110.0, 20.0), 16.0)
    assert observe(window, states(window))["inlet_temp"].values.item() == pytest.approx(20.0)


def test_each_charge_is_told_apart() -> None:
    at = minutes()
    charging = ((at >= 1500) & (at < 1600)) | ((at >= 2000) & (at < 2100))
    window = a_window(
        at,
        {
            "speed_kmh": 0.0,
            "charge_state": np.where(charging, CHARGING, 0.0),
            "charge_inlet_temp_c": np.where(charging, at / 50, np.nan),
        },
    )
    assert len(observe(window, states(window))["inlet_temp"]) == 2


def test_yesterdays_charge_is_not_told_again() -> None:
    window = _window(70.0, 16.0, hours=(10.0, 20.0))
    assert observe(window, states(window)) == {}
