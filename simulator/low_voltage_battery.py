"""The low-voltage battery by itself: rest voltage by the charge that is missing, resistance, surface charge, ageing.

A lead-acid battery's rest voltage is a measure of its charge. Ageing lowers what it reaches when full and its capacity,
and raises its resistance and self-discharge, so that the car has to top it up ever more often.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import Cars, Day, FloatArray
from vehicle.vehicle import LowVoltageChemistry


@dataclass(frozen=True, slots=True)
class Cell:
    """What the chemistry decides; engineering estimates after data sheets unless said."""

    full_v: float
    """At rest, full: 12.8 V for absorbent glass mat; 13.3 V for four LFP cells."""
    slope_v: float
    """Full less empty, on the straight part: 12.8 to 11.8 V for lead-acid."""
    aged_v: float
    """How far severity 1 lowers the voltage at full charge."""
    resistance_ohm: float
    supported_v: float
    """Charging voltage at 25 degC."""
    supported_v_k: float
    """Its temperature compensation: -18 mV/K for six lead-acid cells (3 mV/K each)."""
    surface_v: float
    """Surface charge right after charging."""
    surface_tau_s: float


CELLS: Final = {
    LowVoltageChemistry.LEAD_ACID: Cell(12.80, 1.0, 0.85, 6.0e-3, 14.3, -0.018, 0.25, 5400.0),
    LowVoltageChemistry.LI_ION: Cell(13.30, 0.3, 1.30, 8.0e-3, 13.9, 0.0, 0.08, 1800.0),
}
AGED_RESISTANCE: Final = 9.0
"""Resistance grows tenfold to the end of life: dried-out and sulphated plates (engineering estimate)."""
AGED_CAPACITY: Final = 0.55
"""Share of the capacity lost at severity 1: a battery that strands the car is far gone (engineering estimate)."""
AGED_LEAK_A: Final = 0.6
"""Self-discharge at severity 1: a leaking cell (engineering estimate)."""
HEALTHY_LEAK_A: Final = 0.004
"""About 5 % a month of 50 Ah, absorbent glass mat (engineering estimate)."""
COLD_RESISTANCE: Final = 0.009
"""More resistance per kelvin below 25 degC (engineering estimate)."""
SURFACE_TAU_S: Final = 1200.0
"""Time constant at which surface charge builds up (engineering estimate)."""
KNEE: Final = 0.9
KNEE_V: Final = 2.0
"""The straight part ends where so much is missing; the rest of the charge costs so many volts (engineering estimates
after discharge curves of both chemistries)."""


@dataclass(slots=True, eq=False)
class Batteries:
    """Constants per car, shape (cars,)."""

    full_v: FloatArray
    slope_v: FloatArray
    aged_v: FloatArray
    resistance_ohm: FloatArray
    supported_v: FloatArray
    supported_v_k: FloatArray
    surface_v: FloatArray
    surface_tau_s: FloatArray
    capacity_ah: FloatArray


def start_batteries(cars: Cars, draws: FloatArray) -> Batteries:
    """Every car's battery; `draws`: 0 to 1, of its voltage and its resistance, shape (cars, 2)."""
    cell = [CELLS[one.model.lv_chemistry] for one in cars.cars]
    each = {name: np.array([getattr(one, name) for one in cell], dtype=np.float64) for name in Cell.__slots__}
    each["full_v"] += (draws[:, 0] - 0.5) * 0.08
    each["resistance_ohm"] *= 0.85 + 0.4 * draws[:, 1]
    return Batteries(**each, capacity_ah=cars.each(lambda one: one.model.lv_capacity_ah))


def leak_a(severity: FloatArray) -> FloatArray:
    """Self-discharge that ageing adds to `HEALTHY_LEAK_A`."""
    return AGED_LEAK_A * np.square(severity)


def left(severity: FloatArray) -> FloatArray:
    """Share of the capacity that ageing has left."""
    return 1.0 - AGED_CAPACITY * np.minimum(severity, 1.2)


def resistance_ohm(batteries: Batteries, day: Day, severity: FloatArray) -> FloatArray:
    """Internal resistance at every row."""
    cold_k = np.maximum(25.0 - day.columns["ambient_temp_c"], 0.0)
    return day.of(batteries.resistance_ohm) * (1.0 + COLD_RESISTANCE * cold_k) * (1.0 + AGED_RESISTANCE * severity)


def rest_voltage(
    batteries: Batteries, day: Day, severity: FloatArray, missing_ah: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """At rest: of a sound battery from which as much is missing, and of this one."""
    full = day.of(batteries.full_v)
    slope = day.of(batteries.slope_v)
    capacity = day.of(batteries.capacity_ah)
    own = capacity * left(severity)
    missing_ah = np.minimum(missing_ah, own)
    knee = KNEE_V * np.maximum(missing_ah / own - KNEE, 0.0) / (1.0 - KNEE)
    return full - slope * missing_ah / capacity, full - day.of(
        batteries.aged_v
    ) * severity - slope * missing_ah / own - knee
