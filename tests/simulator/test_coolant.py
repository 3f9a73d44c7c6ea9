"""The coolant circuit: four faults heat the same motors, and each leaves a pattern of its own."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.coolant import THERMOMETER, VALVE_PCT
from vehicle.failure import FailureMode

PUMP, LEAK = FailureMode.COOLANT_PUMP_WEAK, FailureMode.COOLANT_LEAK
RADIATOR, VALVE = FailureMode.RADIATOR_BLOCKED, FailureMode.COOLANT_VALVE_FAULT
MODES = (PUMP, LEAK, RADIATOR, VALVE)
CLEARLY_K = 3.0 * THERMOMETER.noise


@pytest.fixture(scope="module", params=[1, 2, 3])
def pairs(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins(MODES, request.param, 45, date(2026, 9, 1))


@pytest.mark.parametrize("mode", MODES)
def test_equal_until_the_onset_then_visible_then_failed_in_time(pairs: Any, mode: FailureMode) -> None:
    pairs[mode].check_onset()
    if mode is not VALVE:
        pairs[mode].check_failure()


def hottest(pair: Any, part: str) -> float:
    """How much hotter the fault made the part of either axle before the failure."""
    signals = [name for axle in "fr" if (name := f"{part}_{axle}_c") in pair.struck[1]]
    return max(float(pair.raised(name).max()) for name in signals)


@pytest.mark.parametrize("mode", MODES)
def test_whatever_is_wrong_with_the_coolant_heats_stator_and_inverter(pairs: Any, mode: FailureMode) -> None:
    assert hottest(pairs[mode], "motor_stator_temp") > CLEARLY_K
    assert hottest(pairs[mode], "inverter_temp") > CLEARLY_K


def test_only_the_pattern_tells_them_apart(pairs: Any) -> None:
    for mode in MODES:
        pair = pairs[mode]
        flow = pair.raised("coolant_flow_lpm")
        level_low, _ = pair.before_failure("coolant_level_low")
        outlet = pair.raised("radiator_outlet_temp_c")
        away = pair.raised("coolant_valve_position_pct") - pair.raised("coolant_valve_commanded_pct")
        assert (flow.min() < -1.0) == (mode in (PUMP, LEAK))
        assert (np.nanmax(level_low) == 1.0) == (mode is LEAK)
        assert (outlet.max() > CLEARLY_K) == (mode is RADIATOR)
        assert (away.min() < -6.0 * VALVE_PCT) == (mode is VALVE)


def test_a_weak_pump_draws_less_current_for_its_flow_than_one_that_sucks_air(pairs: Any) -> None:
    left = {}
    for mode in (PUMP, LEAK):
        flow, sound_flow = pairs[mode].before_failure("coolant_flow_lpm")
        current, sound_current = pairs[mode].before_failure("coolant_pump_current_a")
        # As far as both come before they stand still.
        lacking = (sound_flow > 0.0) & (np.abs(flow / np.maximum(sound_flow, 1.0) - 0.6) < 0.1)
        assert lacking.any()
        left[mode] = np.median(current[lacking] / sound_current[lacking])
    assert left[PUMP] + 0.05 < left[LEAK] < 0.95


def test_the_level_is_low_before_the_flow_falls(pairs: Any) -> None:
    low, _ = pairs[LEAK].before_failure("coolant_level_low")
    flow, sound = pairs[LEAK].before_failure("coolant_flow_lpm")
    assert int(np.argmax(low == 1.0)) < int(np.argmax(flow < 0.9 * sound))


def test_a_stuck_valve_splits_the_temperatures_and_fails_the_car_within_days(pairs: Any) -> None:
    pair = pairs[VALVE]
    position, commanded = pair.before_failure("coolant_valve_position_pct")
    away = commanded - position > 6.0 * VALVE_PCT
    stuck = position[away][len(position[away]) // 4 :]
    assert np.ptp(stuck) < 8.0 * VALVE_PCT
    coolant, outlet = pair.raised("motor_coolant_temp_c"), pair.raised("radiator_outlet_temp_c")
    assert coolant.max() > 2.0 * CLEARLY_K
    assert outlet.max() < CLEARLY_K
    fault = pair.fault
    assert fault.onset_at < fault.first_visible_at < fault.failed_at
    assert (fault.failed_at - fault.onset_at).total_seconds() < 10 * 86400.0


def test_sound_circuits_keep_their_level_follow_their_valve_and_stay_cool(pairs: Any) -> None:
    for pair in pairs.values():
        _, columns, _ = pair.healthy
        assert np.nanmax(columns["coolant_level_low"]) == 0.0
        apart = columns["coolant_valve_position_pct"] - columns["coolant_valve_commanded_pct"]
        assert np.nanmax(np.abs(apart)) < 6.0 * VALVE_PCT
        assert np.nanmin(columns["coolant_valve_position_pct"]) > 0.0
        assert np.nanmax(columns["coolant_valve_position_pct"]) < 100.0
        assert np.nanmax(columns["motor_coolant_temp_c"]) < 65.0
