"""Tyre sensors that are not heard while the others are."""

import numpy as np

from features.panel import Panel
from features.states import states
from features.tyre_sensors import observe
from features.tyres import WHEELS
from tests.support.windows import DAY, a_window, minutes

AT = minutes(1)
UNDER_WAY = (AT >= 2000) & (AT < 2060)
SECONDS = DAY.timestamp() + (AT - 1440) * 60.0


def _observed(behind_s: dict[str, np.ndarray | float]) -> dict[str, Panel]:
    heard = {f"tyre_last_seen_{wheel}_ts": SECONDS - behind_s.get(wheel, 20.0) for wheel in WHEELS}
    window = a_window(AT, {"speed_kmh": np.where(UNDER_WAY, 50.0, 0.0), **heard})
    return observe(window, states(window))


def test_the_one_that_is_not_heard_stands_out() -> None:
    silent = np.where(AT < 2030, 20.0, 600.0)
    panel = _observed({"rl": silent})["tyre_unheard"]
    assert panel.locations == WHEELS
    # 30 of the 56 samples that are five minutes under way.
    assert panel.values[0].tolist() == [0.0, 0.0, 100.0 * 30 / 56, 0.0]


def test_before_a_drive_nobody_is_heard() -> None:
    asleep = np.where(AT < 2004, 36_000.0, 20.0)
    assert _observed({"rr": asleep})["tyre_unheard"].values[0].tolist() == [0.0] * 4


def test_a_receiver_that_hears_none_of_them_is_no_sensor_s_fault() -> None:
    assert _observed(dict.fromkeys(WHEELS, 3600.0))["tyre_unheard"].values[0].tolist() == [0.0] * 4


def test_a_car_that_tells_of_three_only_tells_nothing() -> None:
    heard = {f"tyre_last_seen_{wheel}_ts": SECONDS - 20.0 for wheel in WHEELS[:3]}
    window = a_window(AT, {"speed_kmh": np.where(UNDER_WAY, 50.0, 0.0), **heard})
    assert observe(window, states(window)) == {}
