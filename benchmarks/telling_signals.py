"""What a diagnostics engineer looks at first, by failure mode, made from the samples of one car.

Every function takes the columns and the name of the struck part, and gives NaN where there is nothing to look at.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.climate import HELD_FREE_K
from simulator.consumption import COMFORT_C
from simulator.drive_units import HEATSINK_K_W, INVERTER_LOSS, JUNCTION_K_W, STATOR_K_W, STATOR_LOSS
from simulator.driving import REDUCTION, WHEEL_M
from simulator.faults import WHEELS
from simulator.refrigerant import saturated_kpa
from vehicle.signals import CATALOGUE

Columns = Mapping[str, Any]
Read = Callable[[Columns, str], NDArray[np.float64]]

STATOR_PER_SINK: Final = STATOR_LOSS * STATOR_K_W / INVERTER_LOSS / HEATSINK_K_W
"""How much hotter than its heat sink's a sound stator's rise is."""

FIRST_DRIVES: Final = 150
"""Samples that a car's resistance is learnt from."""


def signal(name: str) -> Read:
    """A signal as it is; ``{}`` in its name is the struck part."""
    return lambda columns, location: np.asarray(columns[name.format(location)])


def _when(condition: Any, values: Any) -> NDArray[np.float64]:
    return np.where(condition, values, np.nan)


def _driving(columns: Columns) -> Any:
    return columns["speed_kmh"] > 0.0


def rest_voltage(columns: Columns, _: str) -> NDArray[np.float64]:
    """Of the low-voltage battery, unsupported."""
    return _when((columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -1.0), columns["lv_voltage_v"])


def lost_parked(columns: Columns, _: str) -> NDArray[np.float64]:
    """Energy that goes between two samples of a parked car that is not charged."""
    rows = np.flatnonzero(np.isfinite(columns["hv_energy_remaining_kwh"]))
    energy, odometer = columns["hv_energy_remaining_kwh"][rows], columns["odometer_km"][rows]
    lost = -np.diff(energy, prepend=np.nan)
    parked = (np.diff(odometer, prepend=np.nan) == 0.0) & (lost >= 0.0)
    values = np.full(len(columns["hv_energy_remaining_kwh"]), np.nan)
    values[rows[parked]] = lost[parked]
    return values


def supported(columns: Columns, _: str) -> NDArray[np.float64]:
    """The low-voltage network while driving."""
    return _when(_driving(columns), columns["lv_voltage_v"])


def group_against_others(columns: Columns, name: str) -> NDArray[np.float64]:
    """A cell group's voltage less the mean."""
    volts = columns["cell_voltages_v"]
    return np.asarray(volts[:, int(name.removeprefix("V_")) - 1] - volts.mean(axis=1))


def step_over_a_rest(columns: Columns, _: str) -> NDArray[np.float64]:
    """How much the charge shown changes while the car sleeps."""
    rows = np.flatnonzero(np.isfinite(columns["hv_soc_pct"]))
    asleep = np.diff(rows, prepend=rows[:1]) > 1
    steps = np.diff(columns["hv_soc_pct"][rows], prepend=np.nan)
    values = np.full(len(columns["hv_soc_pct"]), np.nan)
    values[rows[asleep]] = np.abs(steps[asleep])
    return values


def module_against_others(columns: Columns, name: str) -> NDArray[np.float64]:
    """A module's temperature less the middle one's."""
    temps = columns["module_temps_c"]
    return np.asarray(temps[:, int(name.removeprefix("M_")) - 1] - np.median(temps, axis=1))


def isolation(columns: Columns, _: str) -> NDArray[np.float64]:
    """Logarithm of the resistance, where it was measured."""
    return _when(columns["isolation_valid"] == 1.0, np.log10(np.maximum(columns["isolation_kohm"], 1.0)))


def loop_open(columns: Columns, _: str) -> NDArray[np.float64]:
    """Whether the interlock loop is open."""
    return _when(np.isfinite(columns["hvil_ok"]), columns["hvil_ok"] == 0.0)


def flow_per_speed(columns: Columns, _: str) -> NDArray[np.float64]:
    """Coolant flow for a turn of the pump; nothing from one that stands still."""
    turning = columns["coolant_pump_speed_rpm"] > 100.0  # noqa: PLR2004 -- a pump that turns at all
    flow = 1000.0 * columns["coolant_flow_lpm"] / np.where(turning, columns["coolant_pump_speed_rpm"], 1.0)
    return np.where(turning, flow, _when(_driving(columns), 0.0))


def outlet_above_air(columns: Columns, _: str) -> NDArray[np.float64]:
    """Radiator outlet's temperature above the air's, while driving."""
    return _when(_driving(columns), columns["radiator_outlet_temp_c"] - columns["ambient_temp_c"])


def compressor_power(columns: Columns, _: str) -> NDArray[np.float64]:
    """For each kelvin between a comfortable cabin and the air, beyond those that need nothing."""
    apart = np.abs(COMFORT_C - columns["ambient_temp_c"])
    held = (apart > 2.0 * HELD_FREE_K) & (np.abs(columns["cabin_temp_c"] - COMFORT_C) < 4.0)  # noqa: PLR2004 -- comfortable
    works = held & (columns["hvac_on"] == 1.0)
    return _when(works, 1000.0 * columns["ac_compressor_power_kw"] / np.maximum(apart - HELD_FREE_K, 1.0))


def low_side(columns: Columns, _: str) -> NDArray[np.float64]:
    """Over what the refrigerant has at the air's temperature."""
    works = (columns["hvac_on"] == 1.0) & _driving(columns)
    return _when(works, columns["refrigerant_low_kpa"] / saturated_kpa(columns["ambient_temp_c"]))


def valve_astray(columns: Columns, _: str) -> NDArray[np.float64]:
    """How far the coolant valve is from where it should be."""
    return np.asarray(np.abs(columns["coolant_valve_position_pct"] - columns["coolant_valve_commanded_pct"]))


def inverter_for_its_load(columns: Columns, axle: str) -> NDArray[np.float64]:
    """Power modules above their heat sink less what the axle's power lets one expect of sound ones."""
    power_w = np.abs(columns[f"motor_torque_{axle}_nm"]) * REDUCTION / WHEEL_M * columns["speed_kmh"] / 3.6
    above = columns[f"inverter_temp_{axle}_c"] - columns[f"inverter_heatsink_temp_{axle}_c"]
    return _when(_driving(columns), above - INVERTER_LOSS * JUNCTION_K_W * power_w)


def stator_for_its_load(columns: Columns, axle: str) -> NDArray[np.float64]:
    """Stator above the coolant less what the heat sink beside it lets one expect of a sound one."""
    coolant = columns["motor_coolant_temp_c"]
    sink = columns[f"inverter_heatsink_temp_{axle}_c"] - coolant
    return _when(_driving(columns), columns[f"motor_stator_temp_{axle}_c"] - coolant - STATOR_PER_SINK * sink)


def resistance_nm(columns: Columns, axle: str) -> NDArray[np.float64]:
    """Torque less what speed and its change explained in the car's first drives: friction, and the hills in it."""
    speed, torque = columns["speed_kmh"], columns[f"motor_torque_{axle}_nm"]
    change = np.diff(speed, prepend=np.nan)
    known = np.column_stack([np.ones(len(speed)), np.square(speed / 100.0), change / 10.0])
    moving = (speed > 10.0) & np.isfinite(known).all(axis=1) & np.isfinite(torque)  # noqa: PLR2004 -- not just starting
    first = np.flatnonzero(moving)[:FIRST_DRIVES]
    weights, *_ = np.linalg.lstsq(known[first], torque[first], rcond=None)
    return _when(moving, torque - known @ weights)


def charging_kw(columns: Columns, _: str) -> NDArray[np.float64]:
    """Power of alternating current from the wall, before it tapers."""
    power = columns["charge_phases"] * columns["charge_current_a"] * columns["charge_voltage_v"] / 1000.0
    return _when((columns["charge_phases"] > 0.0) & (columns["hv_soc_pct"] < 75.0) & (power > 0.0), power)  # noqa: PLR2004 -- below any taper


def wall_voltage(columns: Columns, _: str) -> NDArray[np.float64]:
    """Voltage of the wall under load."""
    loaded = (columns["charge_phases"] > 0.0) & (columns["charge_current_a"] > 5.0)  # noqa: PLR2004 -- a load
    return _when(loaded, columns["charge_voltage_v"])


def inlet_above_air(columns: Columns, _: str) -> NDArray[np.float64]:
    """Charge inlet's temperature above the air's, with alternating current."""
    return _when(columns["charge_phases"] > 0.0, columns["charge_inlet_temp_c"] - columns["ambient_temp_c"])


def state(name: str, value: str) -> Read:
    """Whether an enumeration has a value."""
    index = CATALOGUE[name].values.index(value)
    return lambda columns, _: _when(np.isfinite(columns[name]), columns[name] == index)


def tyre_against_others(columns: Columns, wheel: str) -> NDArray[np.float64]:
    """A tyre's pressure less the mean of the three others."""
    others = np.mean([columns[f"tyre_pressure_{one}_kpa"] for one in WHEELS if one != wheel], axis=0)
    return np.asarray(columns[f"tyre_pressure_{wheel}_kpa"] - others)


def all_tyres(columns: Columns, _: str) -> NDArray[np.float64]:
    """Mean pressure at 20 degC."""
    each = [
        (columns[f"tyre_pressure_{one}_kpa"] + 101.3) * 293.0 / (columns[f"tyre_temp_{one}_c"] + 273.0) - 101.3
        for one in WHEELS
    ]
    return np.asarray(np.mean(each, axis=0))


def unheard(columns: Columns, wheel: str) -> NDArray[np.float64]:
    """Whether a wheel was last heard more than two and a half minutes before the others."""
    last = np.max([columns[f"tyre_last_seen_{one}_ts"] for one in WHEELS], axis=0)
    return _when(_driving(columns), last - columns[f"tyre_last_seen_{wheel}_ts"] > 150.0)  # noqa: PLR2004 -- three missed


def clock_off(columns: Columns, _: str) -> NDArray[np.float64]:
    """How wrong the car's clock is."""
    return np.asarray(np.abs(columns["clock_offset_ms"]))


def disc_against_neighbour(columns: Columns, wheel: str) -> NDArray[np.float64]:
    """A brake disc's temperature less that of the other one on its axle."""
    beside = wheel[0] + ("r" if wheel[1] == "l" else "l")
    return _when(_driving(columns), columns[f"brake_disc_temp_{wheel}_c"] - columns[f"brake_disc_temp_{beside}_c"])
