"""The coolant pump and the expansion tank that it must not suck empty."""

from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import AWAKE, DRIVING, Sensor, Test
from vehicle.failure import FailureMode

RATED_LPM: Final = 12.0
RATED_RPM: Final = 5000.0
RATED_A: Final = 4.6
"""Of an electric 12 V coolant pump of 50 W (engineering estimates)."""
FILLED_L: Final = 1.2
MARK_L: Final = 0.4
"""In the expansion tank at `FILLED_C`, and where its float switch tells (engineering estimates)."""
FILLED_C: Final = 20.0
CIRCUIT_L: Final = 6.0
EXPANSION_K: Final = 5.5e-4
"""Content of the circuit (engineering estimate) and expansion of half water, half glycol (data sheets: 5 to 6e-4)."""

WEAK_FLOW: Final = 0.75
WEAK_CURRENT: Final = 0.55
"""Shares of flow and current lost at severity 1; beyond it the pump stands still (engineering estimates)."""
LEAK_L: Final = 3.0
"""What severity 1 has let out: the pump moves nothing any more, ever less since the tank was empty."""
AIR_CURRENT: Final = 0.4
"""Share of its current that a pump does not draw when it turns in air (engineering estimate)."""
SENSOR_SHARE: Final = 0.02
"""Standard deviation of the flow over itself at equal speed (engineering estimate)."""

SENSORS: Final = {
    "coolant_flow_lpm": Sensor(AWAKE | DRIVING, 0.015, relative=True),
    "coolant_pump_current_a": Sensor(AWAKE | DRIVING, 0.02, relative=True),
    "coolant_pump_speed_rpm": Sensor(AWAKE | DRIVING, 0.005, 10.0, relative=True),
    "coolant_level_low": Sensor(AWAKE | DRIVING),
}


def _flow(day: Day, _: Cars) -> BoolArray:
    """Less than half the flow that the load asks for, or a pump that stands still."""
    driving = day.during(Phase.DRIVING)
    expected = RATED_LPM * day.columns["coolant_pump_speed_rpm"] / RATED_RPM
    return driving & (day.columns["coolant_flow_lpm"] < np.maximum(0.5 * expected, 0.5))


def _level(day: Day, _: Cars) -> BoolArray:
    return day.during(Phase.DRIVING) & (day.columns["coolant_level_low"] > 0.0)


TESTS: Final = (
    Test("P0C73", _flow, ("coolant_flow_lpm", "coolant_pump_current_a", "coolant_pump_speed_rpm")),
    Test("P2560", _level, ("coolant_level_low", "motor_coolant_temp_c")),
)
"""SAE J2012: coolant pump performance, coolant level low."""


def advance(day: Day, heat_w: FloatArray, coolant_c: FloatArray) -> FloatArray:
    """Flow in l/min, for a load in watts and coolant of this temperature."""
    driving = day.during(Phase.DRIVING)
    weak = day.severity(FailureMode.COOLANT_PUMP_WEAK)
    lost_l = LEAK_L * day.severity(FailureMode.COOLANT_LEAK)
    turning = weak < 1.0
    filled = np.clip((LEAK_L - lost_l) / (LEAK_L - FILLED_L), 0.0, 1.0)
    told = np.where(driving, np.clip(0.45 + heat_w / 4000.0, 0.45, 1.0), 0.0)
    sound = told * RATED_LPM
    airless = sound * np.where(turning, 1.0 - WEAK_FLOW * weak, 0.0)
    flow = airless * filled
    low = FILLED_L - lost_l + CIRCUIT_L * EXPANSION_K * (coolant_c - FILLED_C) < MARK_L
    day.columns["coolant_flow_lpm"] = flow
    day.columns["coolant_pump_speed_rpm"] = np.where(turning, told * RATED_RPM, 0.0)
    day.columns["coolant_pump_current_a"] = (
        np.where(turning, RATED_A * (0.12 + 0.88 * told**2) * (1.0 - WEAK_CURRENT * weak), 0.0)
        * (told > 0.0)
        * (1.0 - AIR_CURRENT * (1.0 - filled))
    )
    day.columns["coolant_level_low"] = indicator(low)
    step = 3.0 * SENSOR_SHARE * sound
    day.visible[FailureMode.COOLANT_PUMP_WEAK] = driving & (sound - airless > step)
    read_low = day.during(Phase.AWAKE, Phase.DRIVING) & low
    day.visible[FailureMode.COOLANT_LEAK] = read_low | (driving & (airless - flow > step))
    return flow
