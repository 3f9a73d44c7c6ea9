"""Discs and pads beside their neighbours, and the parking brake's counter."""

import numpy as np
import pytest

from features.brakes import observe
from features.panel import Panel
from features.states import states
from features.tyres import WHEELS
from tests.support.windows import a_window, minutes

AT = minutes(5)
DRIVING = AT % 720 < 120


def _observed(signals: dict[str, np.ndarray | float]) -> dict[str, Panel]:
    window = a_window(AT, {"speed_kmh": np.where(DRIVING, 50.0, 0.0), **signals})
    return observe(window, states(window))


def test_a_disc_is_measured_against_the_other_one_of_its_axle_while_driving() -> None:
    discs = {"fl": 40.0, "fr": 70.0, "rl": 90.0, "rr": 88.0}
    signals = {f"brake_disc_temp_{wheel}_c": np.where(DRIVING, celsius, 500.0) for wheel, celsius in discs.items()}
    # Speed is held for half an hour after the last reading, and so is driving; here it is read at every sample.
    panel = _observed(dict(signals))["disc_gap"]
    assert panel.locations == WHEELS
    assert panel.values[0].tolist() == [-30.0, 30.0, 2.0, -2.0]


def test_an_axle_of_which_one_disc_is_not_known_says_nothing() -> None:
    signals: dict[str, np.ndarray | float] = {f"brake_disc_temp_{wheel}_c": 40.0 for wheel in ("fl", "rl", "rr")}
    values = _observed(signals)["disc_gap"].values[0]
    assert np.isnan(values[:2]).all()
    assert values[2:].tolist() == [0.0, 0.0]


def test_pads_are_read_at_the_day_s_end_and_against_those_beside_them() -> None:
    wear = {"fl": 41.0, "fr": 30.0, "rl": 20.0, "rr": 20.0}
    signals = {f"brake_pad_wear_{wheel}_pct": np.where(AT > 2000, pct, 5.0) for wheel, pct in wear.items()}
    panels = _observed(dict(signals))
    assert panels["pad_wear"].values[0].tolist() == [41.0, 30.0, 20.0, 20.0]
    assert panels["pad_gap"].values[0].tolist() == [11.0, -11.0, 0.0, 0.0]


def test_retries_are_the_day_s_greatest_count() -> None:
    panels = _observed({"parking_brake_retries": np.floor(AT / 500.0)})
    assert panels["brake_retries"].values.item() == pytest.approx(5.0)


def test_a_parked_car_tells_nothing_of_its_discs() -> None:
    window = a_window(AT, {"speed_kmh": 0.0, **{f"brake_disc_temp_{wheel}_c": 40.0 for wheel in WHEELS}})
    assert observe(window, states(window)) == {}
