"""The traction battery as a whole: charge by counting ampere-hours, resistance and diffusion, heat, counters."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.cell_groups import CellGroups, Load, group_voltages, start_groups
from simulator.day import BoolArray, Cars, Day, FloatArray, Phase
from simulator.instruments import ALWAYS, UP, Sensor, Test
from simulator.models import Chemistry
from simulator.open_circuit import mixed_voltage
from vehicle.signals import CATALOGUE

RESISTANCE_PER_K: Final = 0.025
"""Resistance falls by so much per kelvin: 2.4 times at -10 degC (engineering estimate after Arrhenius fits)."""
DIFFUSION_SHARE: Final = 0.4
DIFFUSION_S: Final = 600.0
"""Slow part of the resistance over its fast part, and its time constant (engineering estimates)."""
PARKED_W_K: Final = 15.0
DRIVING_W_K: Final = 60.0
CHARGING_W_K: Final = 220.0
"""Heat carried away per kelvin: air; cooling circuit; the same with the chiller (engineering estimates)."""
BEST_C: Final = (15.0, 27.0)
"""The cooling circuit's own temperature follows the air between these."""
SPREAD_K: Final = 0.8
"""Hottest and coldest module lie so far from the mean at rest, more with heat inside (engineering estimate)."""
FADE_PCT_PER_DAY: Final = 2.3 / 365.0
"""Calendar and cycle fade (Geotab 2026, mean)."""
_BMS: Final = np.array(
    [CATALOGUE["bms_state"].values.index(state) for state in ("Standby", "Support", "Drive", "Charge", "Charge")],
    dtype=np.float64,
)
"""By `Phase`."""

SENSORS: Final = {
    "bms_state": Sensor(ALWAYS),
    "hv_soc_pct": Sensor(UP),
    "hv_energy_remaining_kwh": Sensor(UP),
    "hv_soh_pct": Sensor(UP),
    "hv_voltage_v": Sensor(UP, 0.15),
    "hv_current_a": Sensor(UP, 0.1),
    "hv_power_kw": Sensor(UP),
    "energy_used_lifetime_kwh": Sensor(UP),
    "module_temp_max_c": Sensor(UP, 0.1, 0.5),
    "module_temp_min_c": Sensor(UP, 0.1, 0.5),
}


def _cells_apart(day: Day, _: Cars) -> BoolArray:
    apart = np.concatenate([volts.mean(axis=1) - volts.min(axis=1) for volts in day.cells])
    return ~day.during(Phase.ASLEEP) & (apart > 0.3)  # noqa: PLR2004 -- engineering estimate


TESTS: Final = (Test("P0BBD", _cells_apart, ("hv_soc_pct", "hv_current_a", "hv_voltage_v")),)
"""SAE J2012: pack voltage variation."""


@dataclass(slots=True, eq=False)
class TractionBattery:
    """Constants and state per car, shape (cars,)."""

    lfp: BoolArray
    cells: FloatArray
    nominal_v: FloatArray
    resistance_ohm: FloatArray
    """Of the whole battery at 25 degC."""
    capacity_ah: FloatArray
    heat_j_k: FloatArray
    groups: CellGroups
    charge: FloatArray
    """0 to 1."""
    temp_c: FloatArray
    slow_a: FloatArray
    """Current that diffusion has settled to."""
    used_kwh: FloatArray
    health_pct: FloatArray

    def volts(self) -> FloatArray:
        """At rest, at midnight: what demands for power are turned into current with."""
        return self.cells * mixed_voltage(self.lfp, self.charge)


def start(cars: Cars, ambient_c: FloatArray) -> TractionBattery:
    """Every car's battery on the first midnight."""
    cells = cars.each(lambda one: one.model.cell_count)
    return TractionBattery(
        lfp=np.array([one.model.chemistry is Chemistry.LFP for one in cars.cars]),
        cells=cells,
        nominal_v=cars.each(lambda one: one.model.nominal_voltage_v),
        resistance_ohm=cells * cars.each(lambda one: one.model.group_resistance_ohm),
        capacity_ah=cars.each(lambda one: one.capacity_ah),
        heat_j_k=cars.each(lambda one: one.model.battery_heat_j_k),
        groups=start_groups(cars),
        charge=cars.each(lambda one: one.charge),
        temp_c=ambient_c.copy(),
        slow_a=np.zeros(len(cars)),
        used_kwh=cars.each(lambda one: one.odometer_km * 0.19),
        health_pct=cars.each(lambda one: one.health_pct),
    )


def advance(state: TractionBattery, day: Day) -> None:
    """Everything about the battery from its current, which is there already."""
    current = day.columns["hv_current_a"]
    charge = day.total(current * day.dt_s / 3600.0 / day.of(state.capacity_ah), state.charge)
    cold = np.exp(-RESISTANCE_PER_K * (np.clip(day.of(state.temp_c), -20.0, 45.0) - 25.0))
    heat_w = np.square(current) * day.of(state.resistance_ohm) * cold * (1.0 + DIFFUSION_SHARE)
    temp = _temperature(state, day, heat_w)
    factor = np.exp(-RESISTANCE_PER_K * (np.clip(temp, -20.0, 45.0) - 25.0))
    slow = day.lag(current, DIFFUSION_S, state.slow_a)
    load = Load(charge, (current + DIFFUSION_SHARE * slow) * factor)
    group_voltages(state.groups, day, load)
    volts = np.concatenate([cells.sum(axis=1) for cells in day.cells])
    used = day.total(np.maximum(-volts * current, 0.0) * day.dt_s / 3.6e6, state.used_kwh)
    health = day.of(state.health_pct) - FADE_PCT_PER_DAY * day.at_s / 86400.0
    spread = SPREAD_K + heat_w / 1500.0
    day.columns |= {
        "bms_state": _BMS[day.phase],
        "hv_soc_pct": 100.0 * np.clip(charge, 0.0, 1.0),
        "hv_voltage_v": volts,
        "hv_power_kw": volts * current / 1000.0,
        "hv_energy_remaining_kwh": charge * day.of(state.capacity_ah * state.nominal_v) / 1000.0,
        "hv_soh_pct": health,
        "module_temp_max_c": temp + spread,
        "module_temp_min_c": temp - spread,
        "energy_used_lifetime_kwh": used,
    }
    for name, values in (("charge", charge), ("temp_c", temp), ("slow_a", slow), ("used_kwh", used)):
        setattr(state, name, values[day.last])


def _temperature(state: TractionBattery, day: Day, heat_w: FloatArray) -> FloatArray:
    ambient = day.columns["ambient_temp_c"]
    circuit = np.clip(ambient, *BEST_C)
    charging = day.during(Phase.CHARGING_DC)
    asleep = day.during(Phase.ASLEEP, Phase.AWAKE)
    carried = np.where(asleep, PARKED_W_K, np.where(charging, CHARGING_W_K, DRIVING_W_K))
    sink = np.where(asleep, ambient, circuit)
    return day.lag(sink + heat_w / carried, day.of(state.heat_j_k) / carried, state.temp_c)
