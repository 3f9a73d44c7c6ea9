"""What the coolant pump does at equal speed."""

import numpy as np
import pytest

from features.cooling import observe
from features.states import states
from tests.support.windows import a_window, minutes


def test_flow_is_taken_per_speed_and_current_at_the_slowest() -> None:
    at = minutes(5)
    rpm = np.where(at % 10 == 0, 2000.0, 4000.0)
    signals: dict[str, np.ndarray | float] = {
        "speed_kmh": 60.0,
        "coolant_pump_speed_rpm": rpm,
        "coolant_flow_lpm": rpm / 500.0,
    }
    window = a_window(at, {**signals, "coolant_pump_current_a": np.where(rpm > 3000, 4.0, 1.2)})
    panels = observe(window, states(window))
    assert panels["coolant_flow"].values.item() == pytest.approx(2.0)
    assert panels["coolant_pump_current"].values.item() == pytest.approx(1.2)


def test_a_parked_car_tells_nothing() -> None:
    signals = {"speed_kmh": 0.0, "coolant_pump_speed_rpm": 0.0, "coolant_flow_lpm": 0.0, "coolant_pump_current_a": 0.0}
    window = a_window(minutes(), dict(signals))
    assert observe(window, states(window)) == {}


def test_a_pump_that_stands_still_while_driving_tells_nothing() -> None:
    window = a_window(minutes(), {"speed_kmh": 50.0, "coolant_pump_speed_rpm": 0.0, "coolant_flow_lpm": 0.0})
    assert observe(window, states(window)) == {}, "whether it was told to stand still is not known"


def test_the_radiator_is_judged_on_fast_roads_against_the_cold_car() -> None:
    at = minutes(5)
    fast = (at % 720 > 200) & (at % 720 < 300)
    outlet = np.where(fast, 29.0, np.where(at % 720 < 400, 26.0, 25.0))
    window = a_window(
        at, {"speed_kmh": np.where(fast, 90.0, 0.0), "ambient_temp_c": 20.0, "radiator_outlet_temp_c": outlet}
    )
    assert observe(window, states(window))["radiator_rise"].values.item() == pytest.approx(4.0), "the sensor is 5 K off"
