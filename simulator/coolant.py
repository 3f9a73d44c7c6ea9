"""The drive units' coolant circuit: what the pump moves goes through a three-way valve to the radiator or past it.

Less coolant through the motors, or hotter coolant into them, heats stators and inverters all the same; what tells the
causes apart is the pattern. A weak pump moves less at the speed it is told and draws less current. A leak empties the
tank, then the pump sucks air. A blocked radiator leaves its own outlet hot for the conditions. A stuck valve sends the
coolant past the radiator: the outlet stays cool while the motors are hot, and the position is not the one commanded.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator import coolant_pump
from simulator.car import Car
from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.fault_modes import FAULT_MODES
from simulator.instruments import AWAKE, DRIVING, Sensor, Test
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode

FLOW_EXPONENT: Final = 0.8
"""Heat transfer grows with flow to this power: Dittus and Boelter, turbulent flow."""
LEAST_FLOW: Final = 0.01
"""Convection without a pump, over the rated flow (engineering estimate)."""
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
VALVE_REST: Final = 0.35
VALVE_MOST: Final = 0.95
VALVE_W: Final = 2500.0
"""Share of the coolant that the valve sends through the radiator without load, the most it does, and the heat that adds
as much as there is (engineering estimates)."""

BLOCKED: Final = 2.5
"""Severity 1 leaves 1/e to this power of the radiator: a twelfth (engineering estimate)."""
STUCK: Final = (0.03, 0.07)
"""Where a valve sticks, drawn by car (engineering estimate)."""
STILL_S: Final = 600.0
"""The drive unit is derated, to spare it, when it was driven on end so long without flow (engineering estimate)."""
HOT_K: Final = 10.0
ASTRAY_S: Final = 7200.0
ASTRAY: Final = 0.1
"""Likewise when coolant reaches the motors so much hotter than it should for the conditions, or when it was driven so
long with the valve so far from its command (engineering estimates)."""
THERMOMETER: Final = Sensor(AWAKE | DRIVING, 0.4)
VALVE_PCT: Final = 0.5
"""Standard deviation of the valve's position sensor (engineering estimate)."""

SENSORS: Final = {
    "motor_coolant_temp_c": THERMOMETER,
    "radiator_outlet_temp_c": THERMOMETER,
    **coolant_pump.SENSORS,
    "coolant_valve_position_pct": Sensor(AWAKE | DRIVING, VALVE_PCT),
    "coolant_valve_commanded_pct": Sensor(AWAKE | DRIVING),
}


def _hot(day: Day, _: Cars) -> BoolArray:
    """Hotter from the radiator than the load, the speed and the air explain."""
    return day.columns["radiator_outlet_temp_c"] - day.columns["coolant_nominal_c"] > HOT_K


def _astray(day: Day, _: Cars) -> BoolArray:
    away = day.columns["coolant_valve_position_pct"] - day.columns["coolant_valve_commanded_pct"]
    return day.during(Phase.DRIVING) & (np.abs(away) > 100.0 * ASTRAY)


TESTS: Final = (
    *coolant_pump.TESTS,
    Test("COOL_radiator_outlet_high", _hot, ("radiator_outlet_temp_c", "ambient_temp_c", "speed_kmh")),
    Test("COOL_valve_position", _astray, ("coolant_valve_position_pct", "coolant_valve_commanded_pct")),
)
"""The maker's own codes."""


@dataclass(slots=True, eq=False)
class Circuit:
    """Constants and state per car, shape (cars,)."""

    stuck: FloatArray
    """Where a faulty valve sticks, as share through the radiator."""
    coolant_c: FloatArray
    """On its way to the motors."""
    nominal_c: FloatArray
    """The same with a sound radiator and valve: what the control unit expects."""
    jacket_c: FloatArray
    still_s: FloatArray
    """Driven on end without flow."""
    astray_s: FloatArray
    """Driven since the valve stopped following."""


def start(cars: Cars, ambient_c: FloatArray) -> Circuit:
    """As cold as the first midnight's air."""
    still = np.zeros(len(cars))
    stuck = np.array([_sticks_at(one) for one in cars.cars])
    return Circuit(stuck, ambient_c.copy(), ambient_c.copy(), ambient_c.copy(), still, still.copy())


def _sticks_at(car: Car) -> float:
    key = FAULT_MODES[FailureMode.COOLANT_VALVE_FAULT].key
    return float(generator(car.seed, Purpose.FAULT, car.number, key, 1).uniform(*STUCK))


@dataclass(frozen=True, slots=True, eq=False)
class Coolant:
    """The circuit at every row."""

    carried: FloatArray
    """Heat transfer over that at the rated flow."""
    motor_c: FloatArray
    """At the motors."""
    still: BoolArray
    hot: BoolArray
    astray: BoolArray
    """The three ways in which the circuit itself has the drive units derated."""


def advance(state: Circuit, day: Day, heat_w: FloatArray) -> Coolant:
    """Move `heat_w` from the motors to the air."""
    driving = day.during(Phase.DRIVING)
    through_radiator = _valve(state, day, heat_w)
    inlet = _radiator(state, day, heat_w, through_radiator)
    flow = coolant_pump.advance(day, heat_w, inlet)
    through = np.maximum(flow, LEAST_FLOW * coolant_pump.RATED_LPM) / 60.0 * COOLANT_J_L_K + JACKET_W_K
    motor = day.lag(inlet + heat_w / through, JACKET_J_K / through, state.jacket_c)
    state.jacket_c = motor[day.last]
    day.columns["motor_coolant_temp_c"] = motor
    still = driving & (flow == 0.0)
    still_s = day.recur(indicator(still), indicator(still) * day.dt_s, state.still_s)
    state.still_s = still_s[day.last]
    astray = through_radiator < 1.0 - ASTRAY
    astray_s = day.recur(indicator(astray), indicator(astray & driving) * day.dt_s, state.astray_s)
    state.astray_s = astray_s[day.last]
    carried = np.maximum(flow / coolant_pump.RATED_LPM, LEAST_FLOW) ** FLOW_EXPONENT
    return Coolant(
        carried=np.where(driving, carried, 1.0),
        motor_c=motor,
        still=still_s > STILL_S,
        hot=inlet - day.columns["coolant_nominal_c"] > HOT_K,
        astray=astray_s > ASTRAY_S,
    )


def _valve(state: Circuit, day: Day, heat_w: FloatArray) -> FloatArray:
    """Coolant through the radiator over what is commanded."""
    stuck = np.minimum(day.severity(FailureMode.COOLANT_VALVE_FAULT), 1.0)
    commanded = np.minimum(VALVE_REST + heat_w / VALVE_W, VALVE_MOST)
    position = commanded - stuck * (commanded - day.of(state.stuck))
    day.columns["coolant_valve_commanded_pct"] = 100.0 * commanded
    day.columns["coolant_valve_position_pct"] = 100.0 * position
    away = day.during(Phase.AWAKE, Phase.DRIVING) & (100.0 * (commanded - position) > 3.0 * VALVE_PCT)
    day.visible[FailureMode.COOLANT_VALVE_FAULT] = away
    return position / commanded


def _radiator(state: Circuit, day: Day, heat_w: FloatArray, through: FloatArray) -> FloatArray:
    """Temperature of the coolant that goes to the motors: the radiator's, mixed with what bypassed it."""
    driving = day.during(Phase.DRIVING)
    ambient = day.columns["ambient_temp_c"]
    radiator = RADIATOR_W_K + RADIATOR_W_K_MS * day.columns["speed_kmh"] / 3.6
    left = np.exp(-BLOCKED * day.severity(FailureMode.RADIATOR_BLOCKED))
    share = left * through
    inlet = day.lag(
        ambient + heat_w / (radiator * share), np.where(driving, COOLANT_S / share, PARKED_S), state.coolant_c
    )
    nominal = day.lag(ambient + heat_w / radiator, np.where(driving, COOLANT_S, PARKED_S), state.nominal_c)
    state.coolant_c, state.nominal_c = inlet[day.last], nominal[day.last]
    # A thin stream leaves the radiator nearly as cold as the air.
    outlet = inlet - (1.0 - through) * (inlet - ambient)
    day.columns["coolant_nominal_c"] = nominal
    day.columns["radiator_outlet_temp_c"] = outlet
    read = day.during(Phase.AWAKE, Phase.DRIVING) & (left < 1.0)
    day.visible[FailureMode.RADIATOR_BLOCKED] = read & (outlet - nominal > 3.0 * THERMOMETER.noise)
    return inlet
