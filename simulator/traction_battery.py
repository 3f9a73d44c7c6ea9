"""The traction battery as a whole: charge by counting ampere-hours, resistance and diffusion, heat, counters."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.battery_management import Management, capacity_left, show, start_management
from simulator.cell_groups import CellGroups, Load, group_voltages, short_w, start_groups
from simulator.day import BoolArray, Cars, Day, FloatArray, Phase
from simulator.instruments import ALWAYS, UP, Sensor, Test
from simulator.models import Chemistry
from simulator.module_temperatures import PLAUSIBLE_C, SENSOR_K, Heat, Modules, module_temperatures, start_modules
from simulator.open_circuit import mixed_voltage
from vehicle.failure import FailureMode
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
SPREAD_W_K: Final = 1500.0
"""Hottest and coldest module lie so far from the mean at rest, and a kelvin more for so much heat inside (engineering
estimates)."""
LEAST_FLOW: Final = 0.15
"""Still coolant evens the modules out as this share of the flow does (engineering estimate)."""
LIMIT_C: Final = 60.0
"""Functional failure of the cooling: the battery allows less power (usual limit of cells; engineering estimate)."""
STILL_S: Final = 1800.0
"""... or it was driven for so long with no flow at all (engineering estimate)."""
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
    "module_temp_delta_c": Sensor(UP, step=0.5),
    "hv_capacity_net_kwh": Sensor(UP),
}


def _cells_apart(day: Day, _: Cars) -> BoolArray:
    return ~day.during(Phase.ASLEEP) & (day.columns["group_below_v"] > 0.3)  # noqa: PLR2004 -- engineering estimate


def _too_hot(day: Day, _: Cars) -> BoolArray:
    return ~day.during(Phase.ASLEEP) & (day.columns["battery_hottest_c"] > LIMIT_C)


def _implausible(day: Day, _: Cars) -> BoolArray:
    low, high = PLAUSIBLE_C
    return ~day.during(Phase.ASLEEP) & (
        (day.columns["module_temp_min_c"] < low) | (day.columns["module_temp_max_c"] > high)
    )


TESTS: Final = (
    Test("P0BBD", _cells_apart, ("hv_soc_pct", "hv_current_a", "hv_voltage_v")),
    Test("P0A7E", _too_hot, ("module_temp_max_c", "hv_current_a", "ambient_temp_c")),
    Test("P0A9C", _implausible, ("module_temp_max_c", "module_temp_min_c")),
)
"""SAE J2012: pack voltage variation, pack over-temperature, pack temperature sensor range."""


@dataclass(slots=True, eq=False)
class TractionBattery:
    """Constants and state per car, shape (cars,)."""

    lfp: BoolArray
    cells: FloatArray
    nominal_v: FloatArray
    resistance_ohm: FloatArray
    """Of the whole battery at 25 degC."""
    new_ah: FloatArray
    """Usable at the fleet's start."""
    capacity_ah: FloatArray
    """Usable now."""
    heat_j_k: FloatArray
    groups: CellGroups
    modules: Modules
    management: Management
    charge: FloatArray
    """0 to 1."""
    temp_c: FloatArray
    cooled_c: FloatArray
    """The temperature it would have with sound cooling."""
    still_s: FloatArray
    """Driven without any flow."""
    slow_a: FloatArray
    """Current that diffusion has settled to."""
    used_kwh: FloatArray

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
        new_ah=cars.each(lambda one: one.capacity_ah),
        capacity_ah=cars.each(lambda one: one.capacity_ah),
        heat_j_k=cars.each(lambda one: one.model.battery_heat_j_k),
        groups=start_groups(cars),
        modules=start_modules(cars),
        management=start_management(cars),
        charge=cars.each(lambda one: one.charge),
        temp_c=ambient_c.copy(),
        cooled_c=ambient_c.copy(),
        still_s=np.zeros(len(cars)),
        slow_a=np.zeros(len(cars)),
        used_kwh=cars.each(lambda one: one.odometer_km * 0.19),
    )


def advance(state: TractionBattery, day: Day) -> None:
    """Everything about the battery from its current, which is there already."""
    current = day.columns["hv_current_a"]
    capacity_ah = day.of(state.new_ah) * capacity_left(state.management, day)
    charge = day.total(current * day.dt_s / 3600.0 / capacity_ah, state.charge)
    cold = np.exp(-RESISTANCE_PER_K * (np.clip(day.of(state.temp_c), -20.0, 45.0) - 25.0))
    heat_w = np.square(current) * day.of(state.resistance_ohm) * cold * (1.0 + DIFFUSION_SHARE)
    temp = _temperature(state, day, heat_w)
    factor = np.exp(-RESISTANCE_PER_K * (np.clip(temp, -20.0, 45.0) - 25.0))
    slow = day.lag(current, DIFFUSION_S, state.slow_a)
    load = Load(charge, (current + DIFFUSION_SHARE * slow) * factor)
    volts = group_voltages(state.groups, day, load)
    used = day.total(np.maximum(-volts * current, 0.0) * day.dt_s / 3.6e6, state.used_kwh)
    day.columns |= {
        "bms_state": _BMS[day.phase],
        "hv_voltage_v": volts,
        "hv_power_kw": volts * current / 1000.0,
        "energy_used_lifetime_kwh": used,
    }
    show(state.management, day, charge, state.new_ah * state.nominal_v)
    for name, values in (
        ("capacity_ah", capacity_ah),
        ("charge", charge),
        ("temp_c", temp),
        ("slow_a", slow),
        ("used_kwh", used),
    ):
        setattr(state, name, values[day.last])


def _temperature(state: TractionBattery, day: Day, heat_w: FloatArray) -> FloatArray:
    """Mean temperature; adds the modules' and judges the cooling."""
    ambient = day.columns["ambient_temp_c"]
    circuit = np.clip(ambient, *BEST_C)
    charging = day.during(Phase.CHARGING_DC)
    asleep = day.during(Phase.ASLEEP, Phase.AWAKE)
    sound = np.where(asleep, PARKED_W_K, np.where(charging, CHARGING_W_K, DRIVING_W_K))
    sink = np.where(asleep, ambient, circuit)
    weak = day.severity(FailureMode.PACK_COOLING_WEAK)
    flow = np.maximum(1.0 - weak, 0.0)
    carried = PARKED_W_K + (sound - PARKED_W_K) * flow
    tau_s = day.of(state.heat_j_k) / carried
    temp = day.lag(sink + heat_w / carried, tau_s, state.temp_c)
    cooled = day.lag(sink + heat_w / sound, day.of(state.heat_j_k) / sound, state.cooled_c) if weak.any() else temp
    # Less coolant warms up more on its way from the first module to the last.
    spread = SPREAD_K + heat_w / SPREAD_W_K / np.maximum(flow, LEAST_FLOW)
    hotter = temp + spread - cooled - (SPREAD_K + heat_w / SPREAD_W_K)
    module_temperatures(state.modules, day, Heat(temp, spread, carried, tau_s, short_w(day)))
    still = (weak >= 1.0) & day.during(Phase.DRIVING)
    still_s = day.total(day.dt_s * still, state.still_s) * (weak >= 1.0)
    state.cooled_c, state.still_s = cooled[day.last], still_s[day.last]
    awake = ~day.during(Phase.ASLEEP)
    hot = day.columns["battery_hottest_c"] > LIMIT_C
    day.visible[FailureMode.PACK_COOLING_WEAK] = awake & (hotter > 3.0 * SENSOR_K)
    day.failed[FailureMode.PACK_COOLING_WEAK] = awake & (weak > 0.0) & (hot | (still_s > STILL_S))
    return temp
