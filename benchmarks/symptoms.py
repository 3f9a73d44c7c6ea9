"""The telling signal of every failure mode, a figure a day: what a diagnostics engineer would look at first.

It is made from samples alone. None of it is a detector: the twin without the fault is beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.telling_signals import (
    Read,
    all_tyres,
    charging_kw,
    clock_off,
    compressor_power,
    disc_against_neighbour,
    flow_per_speed,
    group_against_others,
    inlet_above_air,
    inverter_for_its_load,
    isolation,
    loop_open,
    lost_parked,
    low_side,
    module_against_others,
    outlet_above_air,
    resistance_nm,
    rest_voltage,
    signal,
    state,
    stator_for_its_load,
    step_over_a_rest,
    supported,
    tyre_against_others,
    unheard,
    valve_astray,
    wall_voltage,
)
from benchmarks.twins import Life
from vehicle.failure import FailureMode


@dataclass(frozen=True)
class Symptom:
    """What is looked at, and how a day of it becomes one figure."""

    title: str
    unit: str
    read: Read
    """From the columns and the name of the struck part, NaN where there is nothing to look at; shape (n,)."""
    daily: Callable[[NDArray[np.float64]], Any] = np.median
    days: int = 1
    """How many days, up to its own, one figure is made of."""


def daily(life: Life, symptom: Symptom, location: str, start: date, days: int) -> NDArray[np.float64]:
    """The figure of each day; NaN where there is none, or too few days before it, shape (days,)."""
    times, columns, _ = life
    values = symptom.read(columns, location)
    day = ((times - np.datetime64(start)) / np.timedelta64(1, "D")).astype(int)
    known = np.isfinite(values)
    figures = np.full(days, np.nan)
    for one in range(symptom.days - 1, days):
        rows = known & (one - symptom.days < day) & (day <= one)
        if rows.any():
            figures[one] = symptom.daily(values[rows])
    return figures


SYMPTOMS: Final[dict[FailureMode, Symptom]] = {
    FailureMode.LV_BATTERY_AGEING: Symptom("12 V battery at rest", "V", rest_voltage),
    FailureMode.LV_PARASITIC_DRAIN: Symptom("lost while parked", "kWh a day", lost_parked, np.sum),
    FailureMode.DCDC_SUPPORT_LOSS: Symptom("lowest 12 V while driving", "V", supported, np.min),
    FailureMode.WEAK_CELL_GROUP: Symptom("cell group less the mean", "V", group_against_others, np.min),
    FailureMode.CELL_INTERNAL_SHORT: Symptom("cell group less the mean", "V", group_against_others),
    FailureMode.CAPACITY_FADE_ABNORMAL: Symptom("state of health", "%", signal("hv_soh_pct")),
    FailureMode.BMS_CALIBRATION_DRIFT: Symptom("greatest step of the charge asleep", "%", step_over_a_rest, np.max),
    FailureMode.THERMISTOR_FAULT: Symptom("module less the others", "K", module_against_others),
    FailureMode.PACK_COOLING_WEAK: Symptom("greatest spread of modules", "K", signal("module_temp_delta_c"), np.max),
    FailureMode.HV_ISOLATION_LOSS: Symptom("isolation", "log10 kOhm", isolation),
    FailureMode.HVIL_INTERMITTENT: Symptom("samples with an open loop", "a day", loop_open, np.sum),
    FailureMode.CONTACTOR_WEAR: Symptom("precharges repeated", "in all", signal("precharge_retries"), np.max),
    FailureMode.COOLANT_PUMP_WEAK: Symptom("flow per turn", "ml", flow_per_speed),
    FailureMode.COOLANT_LEAK: Symptom("flow per turn", "ml", flow_per_speed),
    FailureMode.RADIATOR_BLOCKED: Symptom("radiator outlet above the air", "K", outlet_above_air, np.max),
    FailureMode.AC_COMPRESSOR_DEGRADING: Symptom("compressor for a kelvin", "W/K", compressor_power, days=5),
    FailureMode.REFRIGERANT_LEAK: Symptom("low side over saturation", "", low_side),
    FailureMode.COOLANT_VALVE_FAULT: Symptom("valve off its command", "%", valve_astray, np.max),
    FailureMode.INVERTER_POWER_STAGE: Symptom("inverter for its load", "K", inverter_for_its_load, np.max),
    FailureMode.STATOR_OVERHEATING: Symptom("stator for its load", "K", stator_for_its_load, np.mean),
    FailureMode.DRIVE_UNIT_BEARING_WEAR: Symptom("torque beyond the road's", "Nm", resistance_nm, np.mean, 21),
    FailureMode.CHARGER_PHASE_LOST: Symptom("power of alternating current", "kW", charging_kw),
    FailureMode.HOME_WIRING_FAULT: Symptom("lowest voltage under load", "V", wall_voltage, np.min),
    FailureMode.CHARGE_INLET_OVERHEATING: Symptom("charge inlet above the air", "K", inlet_above_air, np.max),
    FailureMode.CHARGE_PORT_LATCH: Symptom(
        "samples that wait for the latch", "a day", state("charge_state", "Starting"), np.sum
    ),
    FailureMode.TYRE_SLOW_LEAK: Symptom("tyre less the three others", "kPa", tyre_against_others),
    FailureMode.TYRE_UNDERINFLATION_SEASONAL: Symptom("all four tyres at 20 degC", "kPa", all_tyres),
    FailureMode.TPMS_SENSOR_BATTERY: Symptom("samples without the wheel", "a day", unheard, np.sum),
    FailureMode.BRAKE_DRAG: Symptom("disc above its neighbour", "K", disc_against_neighbour, np.max),
    FailureMode.BRAKE_FLUID_LOW: Symptom("brake fluid low", "0 or 1", signal("brake_fluid_low"), np.max),
    FailureMode.PARKING_BRAKE_ACTUATOR: Symptom(
        "parking brake repeated", "in all", signal("parking_brake_retries"), np.max
    ),
    FailureMode.INFOTAINMENT_STORAGE_WEAR: Symptom("flash worn", "%", signal("storage_wear_pct"), np.max),
    FailureMode.CONNECTIVITY_LOSS: Symptom("clock off", "ms", clock_off, np.max),
    FailureMode.SOFTWARE_UPDATE_FAILED: Symptom(
        "samples while installing", "a day", state("software_update_state", "Installing"), np.sum
    ),
}
