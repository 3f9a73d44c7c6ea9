"""The cell groups of each battery: how equal they are, and those that are not."""

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
"""Standard deviations between groups that are well sorted: together 2 mV at rest (engineering estimates). A car's own
are `Car.cell_spread` times as large, and no group lies further out than makers let it: they sort cells into bins."""

WEAK_RESISTANCE: Final = 1.5
WEAK_CAPACITY: Final = 0.12
WEAK_CHARGE: Final = 0.50
"""What severity 1 adds to a sound group's resistance, takes of its capacity, and takes of its charge by a leak that
balancing cannot make good (engineering estimates)."""
SHORT_OHM: Final = 5.0
"""Of an internal short of severity 1: hundreds of milliamperes and some watts, long before a runaway (engineering
estimate)."""
CUT_OFF_V: Final = {Chemistry.NMC: 3.0, Chemistry.LFP: 2.5}
"""Functional failure: a group falls below it under an ordinary drive's load, and the car stops (cell data sheets)."""
SENSOR_V: Final = 0.003
"""Standard deviation of a group's distance from its peers in a sound battery whose groups are well sorted."""
BIN: Final = 3.0**0.5
"""Edge of a uniform distribution, over its standard deviation."""


STRIKES: Final = (FailureMode.WEAK_CELL_GROUP, FailureMode.CELL_INTERNAL_SHORT)
"""The modes that strike one group."""


@dataclass(slots=True, eq=False)
class CellGroups:
    """Constants per car: arrays of shape (groups,)."""

    chemistry: tuple[Chemistry, ...]
    resistance_ohm: tuple[FloatArray, ...]
    capacity: tuple[FloatArray, ...]
    """Over the mean group's."""
    missing: tuple[FloatArray, ...]
    """Charge below the mean group's, 0 to 1, when full."""
    leaked: FloatArray
    """Charge that an internal short has taken of its group, 0 to 1, shape (cars,)."""
    leak_per_s: FloatArray
    """Charge that one of severity 1 takes per second, shape (cars,)."""


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
        draws = one.cell_spread * rng.uniform(-BIN, BIN, (3, one.model.cell_count))
        resistance.append(one.model.group_resistance_ohm * (1.0 + RESISTANCE_SPREAD * draws[0]))
        capacity.append(1.0 + CAPACITY_SPREAD * draws[1])
        missing.append(CHARGE_SPREAD * draws[2])
    return CellGroups(
        tuple(one.model.chemistry for one in cars.cars),
        tuple(resistance),
        tuple(capacity),
        tuple(missing),
        leaked=np.zeros(len(cars)),
        leak_per_s=cars.each(lambda one: one.model.chemistry.nominal_v / SHORT_OHM / 3600.0 / one.capacity_ah),
    )


def short_w(day: Day) -> FloatArray:
    """Heat of an internal short at every row."""
    nominal_v = day.of(day.cars.each(lambda one: one.model.chemistry.nominal_v))
    return np.square(nominal_v) / SHORT_OHM * day.severity(FailureMode.CELL_INTERNAL_SHORT)


def group_voltages(groups: CellGroups, day: Day, load: Load) -> None:
    """True voltage of every group at every row, and what the struck ones do to the car."""
    weak = day.severity(FailureMode.WEAK_CELL_GROUP)
    leaked = _leaked(groups, day)
    deviation = {mode: np.zeros(len(day)) for mode in STRIKES}
    lowest = {mode: np.full(len(day), np.inf) for mode in STRIKES}
    day.cells = []
    for number, one in enumerate(day.cars.cars):
        rows = day.rows(number)
        part = Load(load.charge[rows, None], load.current_a[rows, None])
        chemistry = groups.chemistry[number]
        constants = groups.resistance_ohm[number], groups.capacity[number], groups.missing[number]
        volts = _volts(chemistry, part, *constants)
        places = {mode: fault.location for mode in STRIKES if (fault := one.fault(mode)) is not None}
        for mode, location in places.items():
            place = slice(location, location + 1)
            # Two faults may have struck the same group.
            severity = weak[rows, None] * (places.get(FailureMode.WEAK_CELL_GROUP) == location)
            lost = leaked[rows, None] * (places.get(FailureMode.CELL_INTERNAL_SHORT) == location)
            struck = _volts(
                chemistry,
                part,
                constants[0][place] * (1.0 + WEAK_RESISTANCE * severity),
                constants[1][place] * (1.0 - WEAK_CAPACITY * severity),
                constants[2][place] + WEAK_CHARGE * severity + lost,
            )
            sound = _volts(chemistry, part, *(values[place] for values in constants))
            deviation[mode][rows] = np.abs(struck - sound)[:, 0]
            volts[:, place] = np.where(severity + lost > 0.0, struck, volts[:, place])
            lowest[mode][rows] = volts[:, location] - CUT_OFF_V[chemistry]
        day.cells.append(volts)
    seen = ~day.during(Phase.ASLEEP) | day.wakes
    peers_v = SENSOR_V * day.of(day.cars.each(lambda one: max(one.cell_spread, 1.0)))
    for mode in STRIKES:
        day.visible[mode] = seen & (deviation[mode] > 3.0 * peers_v)
        day.failed[mode] = day.during(Phase.DRIVING) & (lowest[mode] < 0.0)


def _leaked(groups: CellGroups, day: Day) -> FloatArray:
    """Charge that the struck group is short of; nothing after a repair, which puts a balanced group in its place."""
    severity = day.severity(FailureMode.CELL_INTERNAL_SHORT)
    leaked = day.total(severity * day.of(groups.leak_per_s) * day.dt_s, groups.leaked) * (severity > 0.0)
    groups.leaked = leaked[day.last]
    return leaked


def _volts(
    chemistry: Chemistry, load: Load, resistance_ohm: FloatArray, capacity: FloatArray, missing: FloatArray
) -> FloatArray:
    """Groups are level when full: the smaller one is emptier below."""
    charge = 1.0 - (1.0 - load.charge) / capacity - missing
    return np.maximum(cell_voltage(chemistry, charge) + resistance_ohm * load.current_a, 0.0)
