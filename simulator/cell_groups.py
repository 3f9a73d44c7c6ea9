"""The cell groups of each battery: how equal they are, and those that are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.battery_parts import GroupVoltages
from simulator.day import Cars, Day, FloatArray, Phase
from simulator.models import Chemistry
from simulator.open_circuit import cell_voltage, mixed_voltage
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
    weights_mv: list[NDArray[np.float32]] = field(init=False)
    """Per car what its rows' figures are multiplied with, shape (3, groups)."""
    sums_v: FloatArray = field(init=False)
    """The same for the whole battery, shape (cars, 3)."""
    near: FloatArray = field(init=False)
    """Two standard deviations of the groups' charge in a battery that is half full, shape (cars,)."""

    def __post_init__(self) -> None:
        weights = [
            np.stack([1.0 - 1.0 / capacity, missing, resistance])
            for capacity, missing, resistance in zip(self.capacity, self.missing, self.resistance_ohm, strict=True)
        ]
        self.weights_mv = [(1000.0 * one).astype(np.float32) for one in weights]
        self.sums_v = np.array([one.sum(axis=1) for one in weights])
        self.near = np.array([2.0 * (0.5 * one[0] + one[1]).std() for one in weights])


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


def group_voltages(groups: CellGroups, day: Day, load: Load) -> FloatArray:
    """Voltage of the whole battery at every row; adds those of the groups, and what struck ones do to the car."""
    rest = _rest(groups, day, load.charge)
    at_rows = np.stack([rest.slope_v * (1.0 - load.charge), -rest.slope_v, load.current_a], axis=1)
    count = day.of(day.cars.each(lambda one: one.model.cell_count))
    whole: FloatArray = count * rest.volts + (at_rows * groups.sums_v[day.car]).sum(axis=1)
    narrow, common_mv = at_rows.astype(np.float32), 1000.0 * rest.volts
    struck = _struck(groups, day, load)
    day.cells = []
    for number, weights_mv in enumerate(groups.weights_mv):
        rows, added_mv = day.rows(number), {}
        for place, one in struck[number].items():
            whole[rows] += one.volts - one.sound_v
            added_mv[place] = 1000.0 * (one.volts - one.sound_v)
        day.cells.append(GroupVoltages(common_mv[rows], narrow[rows], weights_mv, added_mv))
    np.maximum(whole, 0.0, out=whole)
    _judge(groups, day, struck, whole / count)
    return whole


@dataclass(frozen=True, slots=True, eq=False)
class _Rest:
    """A mean group at rest, and how its voltage changes with its charge, shape (n,)."""

    volts: FloatArray
    slope_v: FloatArray


def _rest(groups: CellGroups, day: Day, charge: FloatArray) -> _Rest:
    """Over as much charge as lies between most groups the curve is taken for straight."""
    lfp, near = np.array([one is Chemistry.LFP for one in groups.chemistry])[day.car], groups.near[day.car]
    above, below = mixed_voltage(lfp, charge + near), mixed_voltage(lfp, charge - near)
    return _Rest(mixed_voltage(lfp, charge), (above - below) / (2.0 * near))


@dataclass(frozen=True, slots=True, eq=False)
class _Struck:
    """A group with a fault, and the same if it were sound, shape (rows of the car,)."""

    volts: FloatArray
    sound_v: FloatArray


def _struck(groups: CellGroups, day: Day, load: Load) -> list[dict[int, _Struck]]:
    """Per car its struck groups by place; two faults may have struck the same one."""
    weak, leaked = day.severity(FailureMode.WEAK_CELL_GROUP), _leaked(groups, day)
    struck: list[dict[int, _Struck]] = [{} for _ in range(len(day.cars))]
    for mode in STRIKES:
        for number, fault in day.cars.struck(mode):
            rows, place = day.rows(number), fault.location
            faults = {one.order.mode: one for one in day.cars.cars[number].faults if one.location == place}
            severity = weak[rows] * (FailureMode.WEAK_CELL_GROUP in faults)
            lost = leaked[rows] * (FailureMode.CELL_INTERNAL_SHORT in faults)
            part = Load(load.charge[rows], load.current_a[rows])
            chemistry = groups.chemistry[number]
            resistance, capacity = groups.resistance_ohm[number][place], groups.capacity[number][place]
            missing = groups.missing[number][place]
            sound = _volts(chemistry, part, resistance, capacity, missing)
            volts = _volts(
                chemistry,
                part,
                resistance * (1.0 + WEAK_RESISTANCE * severity),
                capacity * (1.0 - WEAK_CAPACITY * severity),
                missing + WEAK_CHARGE * severity + lost,
            )
            struck[number][place] = _Struck(volts, sound)
    return struck


def _judge(groups: CellGroups, day: Day, struck: Sequence[Mapping[int, _Struck]], mean_v: FloatArray) -> None:
    """Where the struck groups show, where they stop the car, and how far they are below the mean."""
    below = np.zeros(len(day))
    seen = ~day.during(Phase.ASLEEP) | day.wakes
    peers_v = SENSOR_V * day.of(day.cars.each(lambda one: max(one.cell_spread, 1.0)))
    for mode in STRIKES:
        deviation, lowest = np.zeros(len(day)), np.full(len(day), np.inf)
        for number, fault in day.cars.struck(mode):
            rows, one = day.rows(number), struck[number][fault.location]
            deviation[rows] = np.abs(one.volts - one.sound_v)
            lowest[rows] = one.volts - CUT_OFF_V[groups.chemistry[number]]
            below[rows] = np.maximum(below[rows], mean_v[rows] - one.volts)
        day.visible[mode] = seen & (deviation > 3.0 * peers_v)
        day.failed[mode] = day.during(Phase.DRIVING) & (lowest < 0.0)
    day.columns["group_below_v"] = below


def _leaked(groups: CellGroups, day: Day) -> FloatArray:
    """Charge that the struck group is short of; nothing after a repair, which puts a balanced group in its place."""
    severity = day.severity(FailureMode.CELL_INTERNAL_SHORT)
    leaked = day.total(severity * day.of(groups.leak_per_s) * day.dt_s, groups.leaked) * (severity > 0.0)
    groups.leaked = leaked[day.last]
    return leaked


def _volts(
    chemistry: Chemistry,
    load: Load,
    resistance_ohm: FloatArray | float,
    capacity: FloatArray | float,
    missing: FloatArray | float,
) -> FloatArray:
    """One group's; groups are level when full: the smaller one is emptier below."""
    charge = 1.0 - (1.0 - load.charge) / capacity - missing
    return np.maximum(cell_voltage(chemistry, charge) + resistance_ohm * load.current_a, 0.0)
