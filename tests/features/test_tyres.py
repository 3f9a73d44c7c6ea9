"""Tyre pressures at one temperature, wheel against wheel."""

import numpy as np
import pytest

from features.states import states
from features.tyres import WHEELS, observe
from features.window import Window
from tests.support.windows import a_vehicle, a_window, minutes


def _gauge(at_20_c: float, celsius: np.ndarray | float) -> np.ndarray:
    return np.asarray((at_20_c + 101.3) * (np.asarray(celsius) + 273.15) / 293.15 - 101.3)


def _window(pressures: dict[str, float], celsius: np.ndarray | float, *, sensors: bool = True) -> Window:
    signals: dict[str, np.ndarray | float] = {"speed_kmh": 0.0, "ambient_temp_c": celsius}
    signals |= {f"tyre_pressure_{wheel}_kpa": _gauge(kpa, celsius) for wheel, kpa in pressures.items()}
    if sensors:
        signals |= {f"tyre_temp_{wheel}_c": celsius for wheel in pressures}
    return a_window(minutes(), signals)


def _gaps(window: Window) -> dict[str, float]:
    panel = observe(window, states(window))["tyre_gap"]
    return dict(zip(panel.locations, panel.values[0].tolist(), strict=True))


@pytest.mark.parametrize("celsius", [-25.0, 0.0, 20.0, 45.0])
@pytest.mark.parametrize("sensors", [True, False])
def test_cold_weather_changes_nothing(celsius: float, *, sensors: bool) -> None:
    window = _window(dict.fromkeys(WHEELS, 290.0), celsius, sensors=sensors)
    panels = observe(window, states(window))
    assert panels["tyre_gap"].values == pytest.approx(0.0)
    assert panels["tyre_deficit"].values == pytest.approx(0.0)


def test_the_wheel_that_lost_air_stands_out() -> None:
    gaps = _gaps(_window({"fl": 290.0, "fr": 291.0, "rl": 270.0, "rr": 289.0}, 5.0))
    assert gaps["rl"] == pytest.approx(-20.0)
    assert max(abs(gaps[wheel]) for wheel in ("fl", "fr", "rr")) < 3


def test_a_deficit_is_a_share_of_the_recommended_pressure() -> None:
    window = _window({"fl": 290.0, "fr": 290.0, "rl": 290.0, "rr": 232.0}, -10.0)
    assert observe(window, states(window))["tyre_deficit"].values[0, 3] == pytest.approx(20.0)


def test_without_a_recommended_pressure_wheels_are_still_compared() -> None:
    at = minutes()
    signals = {f"tyre_pressure_{wheel}_kpa": 250.0 for wheel in WHEELS} | {f"tyre_temp_{w}_c": 10.0 for w in WHEELS}
    window = a_window(at, {"speed_kmh": 0.0, **signals}, vehicle=a_vehicle(tyre_reference_kpa=None))
    assert set(observe(window, states(window))) == {"tyre_gap"}


def test_without_a_temperature_nothing_is_compared() -> None:
    window = a_window(minutes(), {"speed_kmh": 30.0, **{f"tyre_pressure_{w}_kpa": 250.0 for w in WHEELS}})
    assert observe(window, states(window)) == {}


def test_one_wheel_alone_cannot_be_compared() -> None:
    window = _window({"fl": 200.0, "rr": 290.0}, 15.0)
    assert "tyre_gap" not in observe(window, states(window))
