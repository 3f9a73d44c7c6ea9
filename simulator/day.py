"""One day of several cars as a table: a row per sample, the cars one after the other.

Subsystems read the columns of those before them and add their own, always true values; sensors come last.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simulator.car import Car
from simulator.recurrence import recur
from vehicle.batch import Event
from vehicle.failure import FailureMode

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]


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


@dataclass(frozen=True, slots=True)
class Cars:
    """The cars that are simulated together; arrays per car have their order."""

    cars: tuple[Car, ...]

    def __len__(self) -> int:
        return len(self.cars)

    def each(self, read: Callable[[Car], float]) -> FloatArray:
        """A figure of every car, shape (cars,)."""
        return np.array([read(car) for car in self.cars], dtype=np.float64)


@dataclass(slots=True, eq=False)
class Day:
    """The rows of a day: each stands for the time since the one before it of the same car, the first since midnight.

    The last row of every car is midnight, where its state passes to the next day; it is not sent.
    """

    cars: Cars
    index: int
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
    cells: list[FloatArray] = field(default_factory=list)
    """Per car the true voltages of its cell groups, shape (rows of the car, groups)."""
    visible: dict[FailureMode, BoolArray] = field(default_factory=dict)
    """Rows at which a fault moves a sampled signal by three standard deviations."""
    failed: dict[FailureMode, BoolArray] = field(default_factory=dict)
    """Rows at which a component does not do its work."""
    events: defaultdict[int, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """By the car's position in `cars`, what it told besides its samples; in any order."""

    def __len__(self) -> int:
        return len(self.car)

    @property
    def last(self) -> IntArray:
        """Of each car: its last row, midnight."""
        return np.append(self.first[1:], len(self)) - 1

    def of(self, values: FloatArray) -> FloatArray:
        """Per row the value of its car, from shape (cars,)."""
        return values[self.car]

    def during(self, *phases: Phase) -> BoolArray:
        """Rows of these phases."""
        return np.isin(self.phase, phases)

    def recur(self, keep: FloatArray, gain: FloatArray, before: FloatArray) -> FloatArray:
        """Solve y = keep * y_before + gain along each car's rows, from the cars' values at midnight."""
        return recur(keep, gain, self.first, before)

    def lag(self, target: FloatArray, tau_s: FloatArray | float, before: FloatArray) -> FloatArray:
        """Follow `target` with a first-order lag, each row's target held over its time."""
        keep = np.exp(-self.dt_s / tau_s)
        return self.recur(keep, (1.0 - keep) * target, before)

    def total(self, gain: FloatArray, before: FloatArray) -> FloatArray:
        """Add up along each car's rows."""
        return self.recur(np.ones(len(self)), gain, before)

    def severity(self, mode: FailureMode) -> FloatArray:
        """Per row how severe the car's fault of this mode is; 0 without one."""
        severity = np.zeros(len(self))
        for number, car in enumerate(self.cars.cars):
            fault = car.fault(mode)
            if fault is not None:
                rows = self.rows(number)
                severity[rows] = fault.severity(self.at_s[rows])
        return severity

    def rows(self, number: int) -> slice:
        """The rows of the car at this position in `cars`."""
        return slice(int(self.first[number]), int(self.last[number]) + 1)
