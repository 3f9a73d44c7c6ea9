"""Isolation resistance per volt."""

import numpy as np
import pytest

from features.isolation import observe
from features.states import states
from features.window import Window
from tests.support.windows import a_window, minutes
from vehicle.signals import CATALOGUE

CHARGING = float(CATALOGUE["charge_state"].values.index("Charging"))


def _low(window: Window) -> float | None:
    panels = observe(window, states(window))
    return panels["isolation"].values.item() if panels else None


def test_it_is_given_per_volt() -> None:
    assert _low(a_window(minutes(), {"speed_kmh": 0.0, "hv_voltage_v": 400.0, "isolation_kohm": 1000.0})) == 2500.0


def test_a_reading_that_is_not_valid_does_not_count() -> None:
    at = minutes()
    valid = at % 20 == 0
    signals: dict[str, np.ndarray | float] = {"speed_kmh": 0.0, "hv_voltage_v": 400.0, "isolation_valid": valid * 1.0}
    assert _low(a_window(at, {**signals, "isolation_kohm": np.where(valid, 1000.0, 10.0)})) == 2500.0


def test_while_a_station_charges_direct_current_nothing_counts() -> None:
    at = minutes()
    fast = (at > 1500) & (at < 1600)
    signals: dict[str, np.ndarray | float] = {
        "speed_kmh": 0.0,
        "hv_voltage_v": 400.0,
        "hv_current_a": np.where(fast, 200.0, -1.0),
        "charge_state": np.where(fast, CHARGING, 0.0),
    }
    assert _low(a_window(at, {**signals, "isolation_kohm": np.where(fast, 1.0, 1000.0)})) == 2500.0


def test_single_dropouts_do_not_count() -> None:
    at = minutes()
    kohm = np.where(np.arange(len(at)) % 20 == 0, 20.0, 1000.0)
    assert _low(a_window(at, {"speed_kmh": 0.0, "hv_voltage_v": 400.0, "isolation_kohm": kohm})) == 2500.0


def test_a_fault_in_the_wet_counts() -> None:
    at = minutes()
    kohm = np.where((at > 1500) & (at < 1800), 100.0, 1000.0)
    low = _low(a_window(at, {"speed_kmh": 0.0, "hv_voltage_v": 400.0, "isolation_kohm": kohm}))
    assert low == pytest.approx(250.0)


def test_without_high_voltage_nothing_is_measured() -> None:
    assert _low(a_window(minutes(), {"hv_voltage_v": 0.0, "isolation_kohm": 1.0})) is None
