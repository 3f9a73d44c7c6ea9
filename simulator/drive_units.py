"""Drive units: losses warm stator and inverter, coolant carries the heat away.

Whatever is wrong with the coolant heats all of them together. A worn power stage heats its inverter with the square of
the torque, a stator with shorted turns itself with the square of the speed; each is one axle's, and the coolant is what
it should be. A worn bearing takes torque at any speed: the motor gives more for the same drive, and the battery pays.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator import coolant
from simulator.coolant import Circuit, Coolant
from simulator.day import BoolArray, Cars, Day, FloatArray, IntArray, Phase
from simulator.faults import AXLES
from simulator.instruments import AWAKE, DRIVING, Sensor, Test
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE

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
PARKED_S: Final = 3600.0

STAGE_W: Final = 3700.0
STAGE_NM_KG: Final = 0.05
"""Severity 1 of a worn power stage adds such a loss when all motors together give such a torque for the car's mass, by
which they are chosen (engineering estimate)."""
SHORT_W: Final = 2000.0
SHORT_KMH: Final = 100.0
"""Severity 1 of shorted turns adds such a loss at such a speed (engineering estimate)."""
STATOR_LIMIT_C: Final = 150.0
INVERTER_LIMIT_C: Final = 85.0
STATOR_EXCESS_K: Final = 30.0
INVERTER_EXCESS_K: Final = 20.0
"""Functional failure: the drive unit is derated above either temperature, or when it is so much hotter than its
control unit computes from load and coolant (engineering estimates)."""
BEARING_LIMIT_NM: Final = 2.9
"""Functional failure: the bearing runs dry and grinds once it takes such a torque (engineering estimate)."""
ABORTS: Final = 0.7
"""From this share of either excess on the control unit takes the torque back for a moment (engineering estimate)."""

_MOTOR: Final = AWAKE | DRIVING
_STANDBY, _ENABLE, _ABORT, _FAULT = (
    float(CATALOGUE["drive_unit_state_f"].values.index(state)) for state in ("Standby", "Enable", "Abort", "Fault")
)
_THERMOMETER: Final = coolant.THERMOMETER
SENSORS: Final = {
    "motor_stator_temp_f_c": _THERMOMETER,
    "motor_stator_temp_r_c": _THERMOMETER,
    "inverter_temp_f_c": _THERMOMETER,
    "inverter_temp_r_c": _THERMOMETER,
    "inverter_heatsink_temp_f_c": _THERMOMETER,
    "inverter_heatsink_temp_r_c": _THERMOMETER,
    "motor_torque_f_nm": Sensor(_MOTOR, 0.3),
    "motor_torque_r_nm": Sensor(_MOTOR, 0.3),
    **coolant.SENSORS,
    "drive_unit_state_f": Sensor(_MOTOR),
    "drive_unit_state_r": Sensor(_MOTOR),
}


def _inverter(day: Day, _: Cars) -> BoolArray:
    return day.columns["inverter_excess_k"] > ABORTS * INVERTER_EXCESS_K


def _stator(day: Day, _: Cars) -> BoolArray:
    return day.columns["stator_excess_k"] > ABORTS * STATOR_EXCESS_K


_INVERTERS: Final = ("inverter_temp_f_c", "inverter_temp_r_c", "motor_coolant_temp_c")
_STATORS: Final = ("motor_stator_temp_f_c", "motor_stator_temp_r_c", "motor_coolant_temp_c")
TESTS: Final = (*coolant.TESTS, Test("P0A78", _inverter, _INVERTERS), Test("P0A2F", _stator, _STATORS))
"""SAE J2012: drive motor inverter performance, drive motor over-temperature."""


@dataclass(slots=True, eq=False)
class DriveUnits:
    """Constants and state per car; front and rear unit as columns of shape (cars, 2)."""

    share: FloatArray
    """Of the torque."""
    stage_nm: FloatArray
    """At which a power stage is judged, shape (cars,)."""
    stage: IntArray
    turns: IntArray
    bearing: IntArray
    """The axle that a worn power stage, shorted turns and a worn bearing strike, shape (cars,)."""
    circuit: Circuit
    stator_c: FloatArray
    heatsink_c: FloatArray
    """As a sound unit's would be in this coolant."""
    stator_k: FloatArray
    heatsink_k: FloatArray
    """How much hotter it is."""


def start(cars: Cars, ambient_c: FloatArray) -> DriveUnits:
    """As cold as the first midnight's air."""
    front = cars.each(lambda one: one.model.front_share)
    both = np.stack([ambient_c, ambient_c], axis=1)
    return DriveUnits(
        share=np.stack([front, 1.0 - front], axis=1),
        stage_nm=STAGE_NM_KG * cars.each(lambda one: one.model.mass_kg),
        stage=_struck(cars, FailureMode.INVERTER_POWER_STAGE),
        turns=_struck(cars, FailureMode.STATOR_OVERHEATING),
        bearing=_struck(cars, FailureMode.DRIVE_UNIT_BEARING_WEAR),
        circuit=coolant.start(cars, ambient_c),
        stator_c=both,
        heatsink_c=both.copy(),
        stator_k=np.zeros_like(both),
        heatsink_k=np.zeros_like(both),
    )


def _struck(cars: Cars, mode: FailureMode) -> IntArray:
    faults = [one.fault(mode) for one in cars.cars]
    return np.array([0 if fault is None else fault.location for fault in faults], dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """What one axle's unit loses beyond a sound one, in watts at every row."""

    inverter_w: FloatArray
    stator_w: FloatArray
    bearing_nm: FloatArray
    """Torque that its bearing takes."""


def advance(state: DriveUnits, day: Day) -> None:
    """Coolant, stators, inverters and torque."""
    power = np.abs(day.columns["wheel_w"])
    torque, speed = day.columns["torque_nm"] / day.of(state.stage_nm), day.columns["speed_kmh"] / SHORT_KMH
    stage_w = STAGE_W * day.severity(FailureMode.INVERTER_POWER_STAGE) * torque**2
    short_w = SHORT_W * day.severity(FailureMode.STATOR_OVERHEATING) * speed**2
    heat_w = power * (STATOR_LOSS + INVERTER_LOSS) + stage_w + short_w
    flow = coolant.advance(state.circuit, day, heat_w)
    derated = np.zeros(len(day), dtype=np.bool_)
    stator_k, inverter_k = np.zeros(len(day)), np.zeros(len(day))
    for place in range(len(AXLES)):
        loss = Losses(
            stage_w * (state.stage[day.car] == place),
            short_w * (state.turns[day.car] == place),
            day.columns["bearing_nm"] * (state.bearing[day.car] == place),
        )
        stator_own, inverter_own, over = _unit(state, day, flow, place, loss)
        derated |= over
        stator_k, inverter_k = np.maximum(stator_k, stator_own), np.maximum(inverter_k, inverter_own)
    day.columns |= {"stator_excess_k": stator_k, "inverter_excess_k": inverter_k}
    _judge(day, flow, derated)


def _unit(
    state: DriveUnits, day: Day, flow: Coolant, place: int, loss: Losses
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """One axle's unit: excess temperatures of stator and inverter in kelvin, and where its temperature derates it."""
    axle, driving = AXLES[place], day.during(Phase.DRIVING)
    share = state.share[day.car, place]
    fitted = share > 0.0
    moving_nm = day.columns["torque_nm"] - day.columns["bearing_nm"]
    power = np.abs(day.columns["wheel_w"])
    slower = flow.carried
    stator_s = np.where(driving, STATOR_S / slower, PARKED_S)
    heatsink_s = np.where(driving, HEATSINK_S / slower, PARKED_S)
    target = flow.motor_c + STATOR_LOSS * power * share * STATOR_K_W / slower
    stator = day.lag(target, stator_s, state.stator_c[:, place])
    target = flow.motor_c + INVERTER_LOSS * power * share * HEATSINK_K_W / slower
    heatsink = day.lag(target, heatsink_s, state.heatsink_c[:, place])
    stator_k = day.lag(loss.stator_w * STATOR_K_W / slower, stator_s, state.stator_k[:, place])
    heatsink_k = day.lag(loss.inverter_w * HEATSINK_K_W / slower, heatsink_s, state.heatsink_k[:, place])
    state.stator_c[:, place], state.heatsink_c[:, place] = stator[day.last], heatsink[day.last]
    state.stator_k[:, place], state.heatsink_k[:, place] = stator_k[day.last], heatsink_k[day.last]
    inverter_k = heatsink_k + loss.inverter_w * JUNCTION_K_W
    inverter = heatsink + INVERTER_LOSS * power * share * JUNCTION_K_W + inverter_k
    over = driving & fitted & ((stator + stator_k > STATOR_LIMIT_C) | (inverter > INVERTER_LIMIT_C))
    excess = np.maximum(stator_k / STATOR_EXCESS_K, inverter_k / INVERTER_EXCESS_K)
    unit = np.where(driving, np.where(excess > ABORTS, _ABORT, _ENABLE), _STANDBY)
    unit = np.where(driving & (over | (excess > 1.0)), _FAULT, unit)
    for name, values in (
        (f"motor_stator_temp_{axle}_c", stator + stator_k),
        (f"inverter_heatsink_temp_{axle}_c", heatsink + heatsink_k),
        (f"inverter_temp_{axle}_c", inverter),
        (f"motor_torque_{axle}_nm", moving_nm * share + loss.bearing_nm),
        (f"drive_unit_state_{axle}", unit),
    ):
        day.columns[name] = np.where(fitted, values, np.nan)
    return stator_k, inverter_k, over


def _judge(day: Day, flow: Coolant, derated: BoolArray) -> None:
    """What shows of the units' own faults, and which fault has the car derated, theirs or the coolant's."""
    driving, read = day.during(Phase.DRIVING), day.during(Phase.AWAKE, Phase.DRIVING)
    stator_k, inverter_k = day.columns["stator_excess_k"], day.columns["inverter_excess_k"]
    day.visible[FailureMode.STATOR_OVERHEATING] = read & (stator_k > 3.0 * _THERMOMETER.noise)
    day.visible[FailureMode.INVERTER_POWER_STAGE] = read & (inverter_k > 3.0 * _THERMOMETER.noise)
    bearing = day.columns["bearing_nm"]
    day.visible[FailureMode.DRIVE_UNIT_BEARING_WEAR] = driving & (bearing > 3.0 * SENSORS["motor_torque_f_nm"].noise)
    day.failed[FailureMode.DRIVE_UNIT_BEARING_WEAR] = driving & (bearing > BEARING_LIMIT_NM)
    for mode, limit in (
        (FailureMode.COOLANT_PUMP_WEAK, flow.still),
        (FailureMode.COOLANT_LEAK, flow.still),
        (FailureMode.RADIATOR_BLOCKED, flow.hot),
        (FailureMode.COOLANT_VALVE_FAULT, flow.hot | flow.astray),
        (FailureMode.STATOR_OVERHEATING, stator_k > STATOR_EXCESS_K),
        (FailureMode.INVERTER_POWER_STAGE, inverter_k > INVERTER_EXCESS_K),
    ):
        day.failed[mode] = driving & (day.severity(mode) > 0.0) & (derated | limit)
