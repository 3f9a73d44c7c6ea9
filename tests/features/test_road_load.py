"""Resistance to rolling and inertia, told from torque and speed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.panel import Panel
from features.road_load import AIR, GRAVITY, ROTATING, observe
from features.states import states
from tests.support.windows import a_window

AT = 1500.0 + np.arange(400) / 3.0
"""Minutes: a sample in 20 s."""
SPEED = 20.0 + 8.0 * np.sin(np.arange(400) / 7.0) + 3.0 * np.sin(np.arange(400) / 2.3)


def _torque(inertia: float, rolling_pct: float, slope: np.ndarray | float = 0.0) -> np.ndarray:
    """Nm of all motors over the time up to each sample."""
    before = np.concatenate([SPEED[:1], SPEED[:-1]])
    effort = (SPEED - before) / 20.0 + AIR * np.square((SPEED + before) / 2.0)
    return np.asarray(inertia * (effort + (rolling_pct / 100.0 + slope) * GRAVITY / ROTATING))


def _observed(**torques: np.ndarray) -> dict[str, Panel]:
    named = {f"motor_torque_{axle}_nm": torque for axle, torque in torques.items()}
    window = a_window(AT, {"speed_kmh": 3.6 * SPEED, **named})
    return observe(window, states(window))


@given(st.floats(30.0, 200.0), st.floats(0.5, 3.0), st.floats(0.0, 1.0))
def test_both_are_found_whatever_the_mass_and_however_the_axles_share(
    inertia: float, rolling_pct: float, front: float
) -> None:
    torque = _torque(inertia, rolling_pct)
    panels = _observed(f=front * torque, r=(1.0 - front) * torque)
    assert panels["inertia"].values.item() == pytest.approx(inertia, rel=1e-6)
    assert panels["rolling_resistance"].values.item() == pytest.approx(rolling_pct, rel=1e-6)


def test_hills_cancel_over_a_day_that_ends_where_it_began() -> None:
    hills = 0.01 * np.sin(np.arange(400) / 31.0)
    metres = (SPEED + np.concatenate([SPEED[:1], SPEED[:-1]])) / 2.0
    hills -= metres[1:] @ hills[1:] / metres[1:].sum()
    share = _observed(r=_torque(70.0, 1.0, hills))["rolling_resistance"].values.item()
    assert share == pytest.approx(1.0, abs=0.05)


def test_a_car_with_a_motor_that_is_not_heard_tells_nothing() -> None:
    torque, early = _torque(70.0, 1.0), np.arange(400) < 20
    assert _observed(f=np.where(early, torque, np.nan), r=np.where(early, np.nan, torque)) == {}


def test_a_short_drive_tells_nothing() -> None:
    window = a_window(AT[:50], {"speed_kmh": 3.6 * SPEED[:50], "motor_torque_r_nm": _torque(70.0, 1.0)[:50]})
    assert observe(window, states(window)) == {}
