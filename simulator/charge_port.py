"""What the car sees of its chargers: current, voltage and temperature at the inlet and in the on-board charger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.charge_power import GRID_OHM, GRID_V, LEAST_V, LIMIT_C
from simulator.charging import ChargeRun, Ending
from simulator.day import BoolArray, Cars, Day, FloatArray, Phase
from simulator.instruments import CHARGING, UP, Sensor, Test
from simulator.usage import charging_rows
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE

CHARGER_RISE_K: Final = 22.0
CHARGER_TAU_S: Final = 900.0
"""On-board charger at full power above the air, and its time constant (engineering estimates)."""
FULL_A: Final = 48.0
"""All phases together, at full power."""
SENSOR_K: Final = 1.5
"""Standard deviation of the inlet's temperature at equal current and air (engineering estimate)."""
SENSOR_V: Final = 1.0
"""Standard deviation of the voltage at equal current (engineering estimate)."""
STATES: Final = CATALOGUE["charge_state"].values
LATCH: Final = CATALOGUE["charge_port_latch"].values
_AFTER: Final = {Ending.COMPLETE: "Complete", Ending.OVERHEATED: "Stopped", Ending.UNLATCHED: "Stopped"}
_FAILURES: Final = (Ending.OVERHEATED, Ending.UNLATCHED)

SENSORS: Final = {
    "charge_state": Sensor(UP),
    "charge_current_a": Sensor(CHARGING, 0.05),
    "charge_current_request_a": Sensor(CHARGING),
    "charge_voltage_v": Sensor(CHARGING, 0.8),
    "charge_phases": Sensor(CHARGING),
    "charge_inlet_temp_c": Sensor(CHARGING, 0.3, 0.5),
    "charger_temp_c": Sensor(CHARGING, 0.3, 0.5),
    "charge_port_latch": Sensor(UP),
}


def _hot(day: Day, _: Cars) -> BoolArray:
    return day.during(Phase.CHARGING_AC, Phase.CHARGING_DC) & (day.columns["charge_inlet_temp_c"] > LIMIT_C)


def _unlatched(day: Day, _: Cars) -> BoolArray:
    return day.columns["charge_latch_open"] > 0.0


def _phase_missing(day: Day, _: Cars) -> BoolArray:
    return day.columns["charger_modules_lost"] > 0.0


TESTS: Final = (
    Test("CP_inlet_temperature_high", _hot, ("charge_inlet_temp_c", "charge_current_a")),
    Test("CP_latch_not_engaged", _unlatched, ("charge_port_latch", "charge_current_a"), least_rows=5),
    Test("PCS_phase_missing", _phase_missing, ("charge_phases", "charge_current_a")),
)
"""The maker's own codes."""


@dataclass(slots=True, eq=False)
class ChargePort:
    """State per car, shape (cars,)."""

    charger_c: FloatArray


def start(cars: Cars, ambient_c: FloatArray) -> ChargePort:
    """As cold as the first midnight's air."""
    return ChargePort(ambient_c[: len(cars)].copy())


def advance(state: ChargePort, day: Day, runs: Sequence[ChargeRun]) -> None:
    """Inlet and charger at every row; the battery's voltage is there already."""
    columns = {name: np.zeros(len(day)) for name in ("charge_current_a", "charge_current_request_a", "charge_phases")}
    columns |= {name: np.zeros(len(day)) for name in ("charge_latch_open", "charger_modules_lost", "wiring_ohm")}
    columns["charge_state"] = np.full(len(day), float(STATES.index("Disconnected")))
    columns["charge_port_latch"] = np.full(len(day), float(LATCH.index("Disengaged")))
    columns["charge_inlet_temp_c"] = day.columns["ambient_temp_c"].copy()
    excess, ended = np.zeros(len(day)), {kind: np.zeros(len(day), np.bool_) for kind in _FAILURES}
    for run in runs:
        _fill(day, run, columns, excess, ended)
    direct = day.during(Phase.CHARGING_DC)
    dropped = columns["wiring_ohm"] * columns["charge_current_a"]
    grid = GRID_V - GRID_OHM * columns["charge_current_a"] - dropped
    columns["charge_voltage_v"] = np.where(direct, day.columns["hv_voltage_v"], grid)
    load = columns["charge_current_a"] * columns["charge_phases"] / FULL_A
    target = day.columns["ambient_temp_c"] + CHARGER_RISE_K * load
    columns["charger_temp_c"] = day.lag(target, CHARGER_TAU_S, state.charger_c)
    state.charger_c = columns["charger_temp_c"][day.last]
    day.columns |= columns
    day.visible[FailureMode.CHARGE_INLET_OVERHEATING] = excess > 3.0 * SENSOR_K
    day.failed[FailureMode.CHARGE_INLET_OVERHEATING] = ended[Ending.OVERHEATED]
    day.visible[FailureMode.CHARGER_PHASE_LOST] = columns["charger_modules_lost"] > 0.0
    day.failed[FailureMode.CHARGER_PHASE_LOST] = columns["charger_modules_lost"] > 1.0
    day.visible[FailureMode.HOME_WIRING_FAULT] = dropped > 3.0 * SENSOR_V
    day.failed[FailureMode.HOME_WIRING_FAULT] = (dropped > 0.0) & (grid < LEAST_V)
    day.visible[FailureMode.CHARGE_PORT_LATCH] = columns["charge_latch_open"] > 0.0
    day.failed[FailureMode.CHARGE_PORT_LATCH] = ended[Ending.UNLATCHED]


def _fill(
    day: Day, run: ChargeRun, columns: dict[str, FloatArray], excess: FloatArray, ended: dict[Ending, BoolArray]
) -> None:
    rows = charging_rows(day, run)
    if rows.stop <= rows.start:
        return
    at = day.at_s[rows] - day.index * 86400.0
    step = np.minimum(np.searchsorted(run.at_s, at - 1e-6), len(run.at_s) - 1)
    columns["charge_current_a"][rows] = run.inlet_a[step]
    columns["charge_current_request_a"][rows] = run.request_a[step]
    columns["charge_inlet_temp_c"][rows] = np.interp(at, run.at_s, run.inlet_c)
    columns["charge_phases"][rows] = run.phases
    waits = run.latch_open[step]
    columns["charge_state"][rows] = np.where(waits, STATES.index("Starting"), STATES.index("Charging"))
    columns["charge_port_latch"][rows] = np.where(waits, LATCH.index("Disengaged"), LATCH.index("Engaged"))
    columns["charge_latch_open"][rows] = waits
    columns["charger_modules_lost"][rows] = 0.0 if run.session.plug.public else run.session.ailments.modules_lost
    columns["wiring_ohm"][rows] = run.wiring_ohm
    excess[rows] = np.interp(at, run.at_s, run.inlet_c - run.sound_c)
    if run.ending in _FAILURES:
        ended[run.ending][rows.stop - 1] = True
    after = _AFTER.get(run.ending)
    if after is not None:
        end = day.rows(run.session.number).stop
        leaves = np.flatnonzero(day.phase[rows.stop : end] == Phase.DRIVING)
        plugged = slice(rows.stop - 1, rows.stop + int(leaves[0]) if len(leaves) else end)
        columns["charge_state"][plugged] = STATES.index(after)
        held = "Disengaged" if run.ending is Ending.UNLATCHED else "Engaged"
        columns["charge_port_latch"][plugged] = LATCH.index(held)
