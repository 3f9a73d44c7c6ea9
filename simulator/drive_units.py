"""Drive units and their coolant loop: losses warm stator and inverter, coolant carries the heat to the radiator.

A weak pump moves less coolant at the speed it is told and draws less current; stators and inverters get hotter together
at equal load.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import AWAKE, DRIVING, Sensor, Test
from vehicle.failure import FailureMode

STATOR_LOSS: Final = 0.045
INVERTER_LOSS: Final = 0.022
"""Of the power that passes (engineering estimates: 95 % and 98 % efficient machines)."""
STATOR_K_W: Final = 0.045
HEATSINK_K_W: Final = 0.018
JUNCTION_K_W: Final = 0.012
"""Thermal resistance to the coolant at the rated flow, and from heat sink to power modules (engineering estimates)."""
STATOR_S: Final = 420.0
HEATSINK_S: Final = 90.0
"""Time constants at the rated flow (engineering estimates)."""
FLOW_EXPONENT: Final = 0.8
"""Heat transfer grows with flow to this power: Dittus and Boelter, turbulent flow."""
LEAST_FLOW: Final = 0.01
"""Convection without a pump, over the rated flow (engineering estimate)."""
RATED_LPM: Final = 12.0
RATED_RPM: Final = 5000.0
RATED_A: Final = 4.6
"""Of an electric 12 V coolant pump of 50 W (engineering estimates)."""
COOLANT_J_L_K: Final = 3600.0
"""Water and glycol, half and half, by volume (data sheets: 3.4 kJ/(kg K), 1.06 kg/l)."""
RADIATOR_W_K: Final = 80.0
RADIATOR_W_K_MS: Final = 9.0
"""Radiator with its fan, and more of it with the wind of driving (engineering estimates)."""
COOLANT_S: Final = 240.0
JACKET_J_K: Final = 6000.0
JACKET_W_K: Final = 25.0
"""Heat capacity of the coolant and metal around the motors, and what they lose to the air (engineering estimates)."""
PARKED_S: Final = 3600.0

WEAK_FLOW: Final = 0.75
WEAK_CURRENT: Final = 0.55
"""Shares of flow and current lost at severity 1; beyond it the pump stands still (engineering estimates)."""
STATOR_LIMIT_C: Final = 150.0
INVERTER_LIMIT_C: Final = 85.0
STILL_S: Final = 600.0
"""Functional failure: the drive unit is derated above either temperature or, to spare it, when the pump has stood still
through so much driving (engineering estimates)."""
SENSOR_SHARE: Final = 0.02
"""Standard deviation of the flow over itself at equal speed (engineering estimate)."""

_MOTOR: Final = AWAKE | DRIVING
_THERMOMETER: Final = Sensor(_MOTOR, 0.4)
SENSORS: Final = {
    "motor_stator_temp_f_c": _THERMOMETER,
    "motor_stator_temp_r_c": _THERMOMETER,
    "inverter_temp_f_c": _THERMOMETER,
    "inverter_temp_r_c": _THERMOMETER,
    "inverter_heatsink_temp_f_c": _THERMOMETER,
    "inverter_heatsink_temp_r_c": _THERMOMETER,
    "motor_torque_f_nm": Sensor(_MOTOR, 0.3),
    "motor_torque_r_nm": Sensor(_MOTOR, 0.3),
    "motor_coolant_temp_c": _THERMOMETER,
    "radiator_outlet_temp_c": _THERMOMETER,
    "coolant_flow_lpm": Sensor(_MOTOR, 0.015, relative=True),
    "coolant_pump_current_a": Sensor(_MOTOR, 0.02, relative=True),
    "coolant_pump_speed_rpm": Sensor(_MOTOR, 0.005, 10.0, relative=True),
}


def _pump(day: Day, _: Cars) -> BoolArray:
    """Less than half the flow that the load asks for, or a pump that stands still."""
    driving = day.during(Phase.DRIVING)
    expected = RATED_LPM * day.columns["coolant_pump_speed_rpm"] / RATED_RPM
    return driving & (day.columns["coolant_flow_lpm"] < np.maximum(0.5 * expected, 0.5))


TESTS: Final = (Test("P0C73", _pump, ("coolant_flow_lpm", "coolant_pump_current_a", "coolant_pump_speed_rpm")),)
"""SAE J2012: coolant pump performance."""


@dataclass(slots=True, eq=False)
class DriveUnits:
    """Constants and state per car; front and rear unit as columns of shape (cars, 2)."""

    share: FloatArray
    """Of the torque."""
    coolant_c: FloatArray
    jacket_c: FloatArray
    stator_c: FloatArray
    heatsink_c: FloatArray
    still_s: FloatArray
    """Driven on end without a pump, shape (cars,)."""


def start(cars: Cars, ambient_c: FloatArray) -> DriveUnits:
    """As cold as the first midnight's air."""
    front = cars.each(lambda one: one.model.front_share)
    both = np.stack([ambient_c, ambient_c], axis=1)
    return DriveUnits(
        np.stack([front, 1.0 - front], axis=1),
        ambient_c.copy(),
        ambient_c.copy(),
        both.copy(),
        both.copy(),
        0.0 * front,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Coolant:
    """The loop at every row."""

    flow_lpm: FloatArray
    carried: FloatArray
    """Heat transfer over that at the rated flow."""
    outlet_c: FloatArray
    """From the radiator."""
    motor_c: FloatArray
    """At the motors."""


def advance(state: DriveUnits, day: Day) -> None:
    """Pump, coolant, stators, inverters and torque."""
    driving = day.during(Phase.DRIVING)
    power = np.abs(day.columns["wheel_w"])
    coolant = _coolant(state, day, driving, power * (STATOR_LOSS + INVERTER_LOSS))
    still = driving & (day.columns["coolant_pump_speed_rpm"] == 0.0)
    still_s = day.recur(indicator(still), indicator(still) * day.dt_s, state.still_s)
    state.still_s = still_s[day.last]
    limit = still_s > STILL_S
    for place, axle in enumerate("fr"):
        share = state.share[day.car, place]
        fitted = share > 0.0
        slower = coolant.carried
        stator = day.lag(
            coolant.motor_c + STATOR_LOSS * power * share * STATOR_K_W / slower,
            np.where(driving, STATOR_S / slower, PARKED_S),
            state.stator_c[:, place],
        )
        heatsink = day.lag(
            coolant.motor_c + INVERTER_LOSS * power * share * HEATSINK_K_W / slower,
            np.where(driving, HEATSINK_S / slower, PARKED_S),
            state.heatsink_c[:, place],
        )
        inverter = heatsink + INVERTER_LOSS * power * share * JUNCTION_K_W
        day.columns[f"motor_stator_temp_{axle}_c"] = np.where(fitted, stator, np.nan)
        day.columns[f"inverter_heatsink_temp_{axle}_c"] = np.where(fitted, heatsink, np.nan)
        day.columns[f"inverter_temp_{axle}_c"] = np.where(fitted, inverter, np.nan)
        day.columns[f"motor_torque_{axle}_nm"] = np.where(fitted, day.columns["torque_nm"] * share, np.nan)
        limit |= fitted & ((stator > STATOR_LIMIT_C) | (inverter > INVERTER_LIMIT_C))
        state.stator_c[:, place] = stator[day.last]
        state.heatsink_c[:, place] = heatsink[day.last]
    day.failed[FailureMode.COOLANT_PUMP_WEAK] = driving & limit


def _coolant(state: DriveUnits, day: Day, driving: BoolArray, heat_w: FloatArray) -> Coolant:
    severity = day.severity(FailureMode.COOLANT_PUMP_WEAK)
    turning = severity < 1.0
    told = np.where(driving, np.clip(0.45 + heat_w / 4000.0, 0.45, 1.0), 0.0)
    sound = told * RATED_LPM
    flow = sound * np.where(turning, 1.0 - WEAK_FLOW * severity, 0.0)
    ambient = day.columns["ambient_temp_c"]
    radiator = RADIATOR_W_K + RADIATOR_W_K_MS * day.columns["speed_kmh"] / 3.6
    outlet = day.lag(ambient + heat_w / radiator, np.where(driving, COOLANT_S, PARKED_S), state.coolant_c)
    state.coolant_c = outlet[day.last]
    through = np.maximum(flow, LEAST_FLOW * RATED_LPM) / 60.0 * COOLANT_J_L_K + JACKET_W_K
    day.columns["coolant_flow_lpm"] = flow
    day.columns["coolant_pump_speed_rpm"] = np.where(turning, told * RATED_RPM, 0.0)
    day.columns["coolant_pump_current_a"] = np.where(
        turning, RATED_A * (0.12 + 0.88 * told**2) * (1.0 - WEAK_CURRENT * severity), 0.0
    ) * (told > 0.0)
    day.columns["radiator_outlet_temp_c"] = outlet
    motor = day.lag(outlet + heat_w / through, JACKET_J_K / through, state.jacket_c)
    state.jacket_c = motor[day.last]
    day.columns["motor_coolant_temp_c"] = motor
    day.visible[FailureMode.COOLANT_PUMP_WEAK] = driving & (sound - flow > 3.0 * SENSOR_SHARE * sound)
    carried = np.maximum(flow / RATED_LPM, LEAST_FLOW) ** FLOW_EXPONENT
    return Coolant(flow, np.where(driving, carried, 1.0), outlet, motor)
