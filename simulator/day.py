"""One day of several cars as a table: a row per sample, the cars one after the other.

Subsystems read the columns of those before them and add their own, always true values; sensors come last.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.battery_parts import GroupVoltages, ModuleTemperatures
from simulator.car import Car
from simulator.fault_modes import FAULT_MODES, Intermittent
from simulator.faults import Fault
from simulator.randomness import Purpose, generator
from simulator.recurrence import recur, total
from simulator.weather import DAY_S
from vehicle.batch import Event
from vehicle.failure import FailureMode

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]

WET: Final = 0.2
"""An underside wetter than this lets an intermittent fault show: for about eight hours after a long shower, by
`weather.DRY_H` (engineering estimate)."""
COLD_C: Final = 5.0
"""Outside air colder than this does (engineering estimate)."""
ROUGH_S: Final = 60.0
ROUGH_SHARE: Final = 0.15
"""Driving bumps along for a minute at a time, and for so much of the whole (engineering estimates)."""


def indicator(mask: BoolArray) -> FloatArray:
    """1 where true, else 0."""
    return mask.astype(np.float64)


class Phase(IntEnum):
    """What a car did in the time that ends with a sample."""

    ASLEEP = 0
    """Contactors open; only the gateway looks at the low-voltage battery now and then."""
    AWAKE = 1
    """Parked with contactors closed: before and after a drive, or to top up the low-voltage battery."""
    DRIVING = 2
    CHARGING_AC = 3
    CHARGING_DC = 4


@dataclass(slots=True)
class Cars:
    """The cars that are simulated together; arrays per car have their order."""

    cars: tuple[Car, ...]
    """Only a repair puts another in a car's place: the same, with the day its fault ends."""

    def struck(self, mode: FailureMode) -> list[tuple[int, Fault]]:
        """Position and fault of every car that has a fault of this mode."""
        if self._struck[0] is not self.cars:
            by_mode: dict[FailureMode, list[tuple[int, Fault]]] = {}
            for number, car in enumerate(self.cars):
                for fault in car.faults:
                    by_mode.setdefault(fault.order.mode, []).append((number, fault))
            self._struck = self.cars, by_mode
        return self._struck[1].get(mode, [])

    def __len__(self) -> int:
        return len(self.cars)

    _struck: tuple[tuple[Car, ...], dict[FailureMode, list[tuple[int, Fault]]]] = field(default=((), {}), init=False)
    """For which cars it was made, and by mode the positions and faults of those that have one."""

    def each(self, read: Callable[[Car], float]) -> FloatArray:
        """A figure of every car, shape (cars,)."""
        return np.array([read(car) for car in self.cars], dtype=np.float64)

    def severity(self, mode: FailureMode, car: IntArray, at_s: FloatArray) -> FloatArray:
        """How severe the cars' faults of a mode are at rows of their own, before the day is laid out.

        Args:
            mode: one that is always there; 0 for cars without it.
            car: of each row, as position in `cars`, never falling, shape (n,).
            at_s: of each row, seconds since the fleet's start, shape (n,).
        """
        severity = np.zeros(len(car))
        for number, one in enumerate(self.cars):
            fault = one.fault(mode)
            if fault is not None:
                rows = slice(*np.searchsorted(car, [number, number + 1]).tolist())
                severity[rows] = fault.severity(at_s[rows])
        return severity


@dataclass(slots=True, eq=False)
class Day:
    """The rows of a day: each stands for the time since the one before it of the same car, the first since midnight.

    The last row of every car is midnight, where its state passes to the next day; it is not sent.
    """

    cars: Cars
    index: int
    midnight: datetime
    """Its start, UTC."""
    car: IntArray
    """Of each row, as position in `cars`."""
    first: IntArray
    """Of each car: its first row."""
    at_s: FloatArray
    """Seconds since the fleet's start."""
    dt_s: FloatArray
    phase: NDArray[np.int8]
    wakes: BoolArray
    """The car wakes up at this row, out of the sleep that ends with it."""
    columns: dict[str, FloatArray] = field(default_factory=dict)
    """True values by signal, or by a name of the simulator's own; shape (n,)."""
    cells: list[GroupVoltages] = field(default_factory=list)
    """Per car the true voltages of its cell groups."""
    modules: list[ModuleTemperatures] = field(default_factory=list)
    """Per car what the probes of its battery modules show."""
    visible: dict[FailureMode, BoolArray] = field(default_factory=dict)
    """Rows at which a fault moves a sampled signal by three standard deviations."""
    failed: dict[FailureMode, BoolArray] = field(default_factory=dict)
    """Rows at which a component does not do its work."""
    last: IntArray = field(init=False)
    """Of each car: its last row, midnight."""
    events: defaultdict[int, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """By the car's position in `cars`, what it told besides its samples; in any order."""
    _during: dict[tuple[Phase, ...], BoolArray] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        return len(self.car)

    def __post_init__(self) -> None:
        self.last = np.append(self.first[1:], len(self)) - 1

    def of(self, values: FloatArray) -> FloatArray:
        """Per row the value of its car, from shape (cars,)."""
        return values[self.car]

    def during(self, *phases: Phase) -> BoolArray:
        """Rows of these phases; not to be written to."""
        rows = self._during.get(phases)
        if rows is None:
            rows = self.phase == phases[0]
            for phase in phases[1:]:
                rows |= self.phase == phase
            rows.flags.writeable = False
            self._during[phases] = rows
        return rows

    def recur(self, keep: FloatArray, gain: FloatArray, before: FloatArray) -> FloatArray:
        """Solve y = keep * y_before + gain along each car's rows, from the cars' values at midnight."""
        return recur(keep, gain, self.first, before)

    def lag(self, target: FloatArray, tau_s: FloatArray | float, before: FloatArray) -> FloatArray:
        """Follow `target` with a first-order lag, each row's target held over its time."""
        keep = np.exp(-self.dt_s / tau_s)
        return self.recur(keep, (1.0 - keep) * target, before)

    def total(self, gain: FloatArray, before: FloatArray) -> FloatArray:
        """Add up along each car's rows."""
        return total(gain, self.first, before)

    def severity(self, mode: FailureMode) -> FloatArray:
        """Per row how severe the car's fault of this mode is; 0 without one, and while an intermittent one is away.

        What an intermittent fault needs (wetness, air temperature) must be in the columns already.
        """
        severity = np.zeros(len(self))
        for number, fault in self.cars.struck(mode):
            rows = self.rows(number)
            severity[rows] = fault.severity(self.at_s[rows]) * self._shows(FAULT_MODES[mode].intermittent, rows)
        return severity

    def _shows(self, needs: Intermittent, rows: slice) -> BoolArray:
        """Where an intermittent fault of the car with these rows is there."""
        match needs:
            case Intermittent.NONE:
                shows = np.ones(rows.stop - rows.start, dtype=np.bool_)
            case Intermittent.WET:
                shows = self.columns["wetness"][rows] > WET
            case Intermittent.COLD:
                shows = self.columns["ambient_temp_c"][rows] < COLD_C
            case Intermittent.BUMPS:
                shows = (self.phase[rows] == Phase.DRIVING) & self._rough(rows)
        return shows

    def _rough(self, rows: slice) -> BoolArray:
        """Where the road is rough: the car's own draws, by the time of day."""
        car = self.cars.cars[self.car[rows.start]]
        rng = generator(car.seed, Purpose.ROADS, car.number, self.index)
        rough = rng.random(int(DAY_S / ROUGH_S)) < ROUGH_SHARE
        place = ((self.at_s[rows] - self.index * DAY_S) / ROUGH_S).astype(np.intp)
        return np.asarray(rough[np.minimum(place, len(rough) - 1)])

    def rows(self, number: int) -> slice:
        """The rows of the car at this position in `cars`."""
        return slice(int(self.first[number]), int(self.last[number]) + 1)
