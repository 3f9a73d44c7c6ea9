"""Drive units: what a worn power stage and shorted turns do to one axle, and to the state that it reports."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.coolant import THERMOMETER
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE

STAGE, TURNS = FailureMode.INVERTER_POWER_STAGE, FailureMode.STATOR_OVERHEATING
MODES = (STAGE, TURNS)
CLEARLY_K = 3.0 * THERMOMETER.noise
STATES = CATALOGUE["drive_unit_state_f"].values


@pytest.fixture(scope="module", params=[1, 2, 3])
def pairs(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins(MODES, request.param, 50, date(2026, 9, 1))


@pytest.mark.parametrize("mode", MODES)
def test_equal_until_the_onset_then_visible_then_failed_in_time(pairs: Any, mode: FailureMode) -> None:
    pairs[mode].check_onset()
    pairs[mode].check_failure()


def test_a_worn_stage_heats_its_inverter_with_the_square_of_the_torque(pairs: Any) -> None:
    pair = pairs[STAGE]
    (axle,) = pair.fault.locations
    heated = pair.raised(f"inverter_temp_{axle}_c") - pair.raised(f"inverter_heatsink_temp_{axle}_c")
    torque, _ = pair.before_failure(f"motor_torque_{axle}_nm")
    square = np.square(torque[np.isfinite(torque)])
    late = np.arange(len(heated)) > 0.7 * len(heated)
    assert np.corrcoef(heated[late], square[late])[0, 1] > 0.8
    assert pair.raised(f"inverter_heatsink_temp_{axle}_c").max() > CLEARLY_K


def test_shorted_turns_heat_their_stator_and_not_the_inverter_nor_the_coolant_much(pairs: Any) -> None:
    pair = pairs[TURNS]
    (axle,) = pair.fault.locations
    stator = pair.raised(f"motor_stator_temp_{axle}_c")
    assert stator.max() > 5.0 * CLEARLY_K
    assert pair.raised(f"inverter_temp_{axle}_c").max() < 0.5 * stator.max()
    assert pair.raised("motor_coolant_temp_c").max() < 0.5 * stator.max()


@pytest.mark.parametrize("mode", MODES)
def test_a_unit_aborts_before_it_reports_a_fault_and_a_sound_one_does_neither(pairs: Any, mode: FailureMode) -> None:
    pair = pairs[mode]
    (axle,) = pair.fault.locations
    own, twin = pair.before_failure(f"drive_unit_state_{axle}")
    assert STATES.index("Abort") in own
    assert STATES.index("Fault") not in own
    assert set(twin[np.isfinite(twin)]) == {float(STATES.index("Standby")), float(STATES.index("Enable"))}


def test_consumption_is_the_energy_over_the_distance(pairs: Any) -> None:
    for pair in pairs.values():
        _, columns, _ = pair.healthy
        used = float(np.ptp(columns["energy_used_lifetime_kwh"][np.isfinite(columns["energy_used_lifetime_kwh"])]))
        driven = float(np.nanmax(columns["odometer_km"]) - np.nanmin(columns["odometer_km"]))
        told = np.nanmedian(columns["consumption_wh_km"])
        # The counter holds what the car used parked and does not take back what it regained.
        assert 0.5 * used / driven * 1000.0 < told < 1.2 * used / driven * 1000.0
