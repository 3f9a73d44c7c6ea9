"""Stators and inverters above their coolant."""

import numpy as np

from features.drive_units import observe
from features.states import states
from tests.support.windows import a_window, minutes


def test_rises_are_the_day_s_means_of_each_axle_while_driving() -> None:
    at = minutes(5)
    driving = at % 720 < 60
    signals: dict[str, np.ndarray | float] = {
        "speed_kmh": np.where(driving, 50.0, 0.0),
        "motor_coolant_temp_c": 20.0,
        "motor_stator_temp_f_c": np.where(driving, 32.0, 90.0),
        "inverter_temp_f_c": np.where(driving & (at >= 1440), 25.0, 90.0),
    }
    window = a_window(at, dict(signals))
    panels = observe(window, states(window))
    assert panels["stator_rise"].locations == ("f", "r")
    # Speed is held for half an hour after the last reading, and so is driving.
    assert panels["inverter_rise"].values[0, 0] == 5.0
    assert panels["stator_rise"].values[0, 0] == 12.0
    assert np.isnan(panels["stator_rise"].values[0, 1]), "there is no motor at the rear"


def test_a_parked_car_tells_nothing() -> None:
    window = a_window(minutes(), {"speed_kmh": 0.0, "motor_coolant_temp_c": 20.0, "motor_stator_temp_f_c": 40.0})
    assert observe(window, states(window)) == {}
