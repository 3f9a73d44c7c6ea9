"""The cell groups of each battery: how equal they are, and the one that is not."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import Cars, Day, FloatArray, Phase
from simulator.models import Chemistry
from simulator.open_circuit import cell_voltage
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode

CAPACITY_SPREAD: Final = 0.004
RESISTANCE_SPREAD: Final = 0.025
CHARGE_SPREAD: Final = 0.002
"""Standard deviations between sound groups: together 2 to 4 mV at rest (engineering estimates)."""

WEAK_RESISTANCE: Final = 1.5
WEAK_CAPACITY: Final = 0.12
WEAK_CHARGE: Final = 0.50
"""What severity 1 adds to a sound group's resistance, takes of its capacity, and takes of its charge by a leak that
balancing cannot make good (engineering estimates)."""
CUT_OFF_V: Final = {Chemistry.NMC: 3.0, Chemistry.LFP: 2.5}
"""Functional failure: a group falls below it under an ordinary drive's load, and the car stops (cell data sheets)."""
SENSOR_V: Final = 0.003
"""Standard deviation of a group's distance from its peers in a sound battery."""


@dataclass(slots=True, eq=False)
class CellGroups:
    """Constants per car: arrays of shape (groups,)."""

    chemistry: tuple[Chemistry, ...]
    resistance_ohm: tuple[FloatArray, ...]
    capacity: tuple[FloatArray, ...]
    """Over the mean group's."""
    missing: tuple[FloatArray, ...]
    """Charge below the mean group's, 0 to 1, when full."""


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """What all groups of a battery share, shape (n,)."""

    charge: FloatArray
    current_a: FloatArray
    """Times the temperature's factor, slow part included."""


def start_groups(cars: Cars) -> CellGroups:
    """Every battery's groups, as sorted in the works."""
    resistance, capacity, missing = [], [], []
    for one in cars.cars:
        rng = generator(one.seed, Purpose.CELLS, one.number)
        draws = rng.standard_normal((3, one.model.cell_count))
        resistance.append(one.model.group_resistance_ohm * (1.0 + RESISTANCE_SPREAD * draws[0]))
        capacity.append(1.0 + CAPACITY_SPREAD * draws[1])
        missing.append(CHARGE_SPREAD * draws[2])
    return CellGroups(
        tuple(one.model.chemistry for one in cars.cars), tuple(resistance), tuple(capacity), tuple(missing)
    )


def group_voltages(groups: CellGroups, day: Day, load: Load) -> None:
    """True voltage of every group at every row, and what the weak one does to the car."""
    weak = day.severity(FailureMode.WEAK_CELL_GROUP)
    deviation, lowest = np.zeros(len(day)), np.full(len(day), np.inf)
    day.cells = []
    for number, one in enumerate(day.cars.cars):
        rows = day.rows(number)
        part = Load(load.charge[rows, None], load.current_a[rows, None])
        chemistry = groups.chemistry[number]
        constants = groups.resistance_ohm[number], groups.capacity[number], groups.missing[number]
        volts = _volts(chemistry, part, *constants)
        fault = one.fault(FailureMode.WEAK_CELL_GROUP)
        if fault is not None:
            place = slice(fault.location, fault.location + 1)
            severity = weak[rows, None]
            struck = _volts(
                chemistry,
                part,
                constants[0][place] * (1.0 + WEAK_RESISTANCE * severity),
                constants[1][place] * (1.0 - WEAK_CAPACITY * severity),
                constants[2][place] + WEAK_CHARGE * severity,
            )
            deviation[rows] = np.abs(struck - volts[:, place])[:, 0]
            volts[:, place] = np.where(severity > 0.0, struck, volts[:, place])
            lowest[rows] = volts[:, fault.location] - CUT_OFF_V[chemistry]
        day.cells.append(volts)
    seen = ~day.during(Phase.ASLEEP) | day.wakes
    day.visible[FailureMode.WEAK_CELL_GROUP] = seen & (deviation > 3.0 * SENSOR_V)
    day.failed[FailureMode.WEAK_CELL_GROUP] = day.during(Phase.DRIVING) & (lowest < 0.0)


def _volts(
    chemistry: Chemistry, load: Load, resistance_ohm: FloatArray, capacity: FloatArray, missing: FloatArray
) -> FloatArray:
    """Groups are level when full: the smaller one is emptier below."""
    charge = 1.0 - (1.0 - load.charge) / capacity - missing
    return np.maximum(cell_voltage(chemistry, charge) + resistance_ohm * load.current_a, 0.0)
