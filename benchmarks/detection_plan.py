"""What is simulated to see what detectors are worth: a fleet for each mode, every car with it, and sound fleets.

Every car has the confounders it draws of all kinds. A car is told by its seed and number, and lives the same whoever
else is simulated, so that any case can be made again alone.
"""

import math
from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import msgspec

from simulator.car import Car, build_car, vehicle_id
from simulator.confounders import Variety
from simulator.fault_modes import FAULT_MODES, SIMULATED, Intermittent
from simulator.faults import FaultOrder
from simulator.fleet import Fleet
from simulator.incidence import can_have
from vehicle.failure import FailureMode

ONSET_DAY: Final = 20.0
"""Baselines of five days of use are known by then, in cars that are seldom driven too."""
LONGEST: Final = 1.35
"""Times the mode's median duration: slower faults than that are followed no further."""
AFTER_DAYS: Final = 6.0
"""So long a car is followed after its fault's time."""
HEALTHY_CARS: Final = 72
HEALTHY_DAYS: Final = 70
NUMBERS_APART: Final = 1000
"""Between the cars of one mode and the next."""
STARTS: Final = tuple(date(2026, month, 1) for month in range(1, 13))
AUTUMN: Final = date(2026, 10, 20)
"""Modes that show when it is cold begin towards the winter."""


class Unit(msgspec.Struct, frozen=True):
    """Some cars' days, simulated and judged at a time."""

    name: str
    seed: int
    start: date
    days: int
    numbers: tuple[int, ...]
    mode: FailureMode | None = None
    """None: nothing is wrong with them."""

    @property
    def vehicle_days(self) -> int:
        """Cars times days."""
        return len(self.numbers) * self.days

    def fleet(self) -> Fleet:
        """The cars, ready to live."""
        cars = [_car(self.seed, number, self.days, self.mode) for number in self.numbers]
        return Fleet(cars, self.days, self.seed, self.start)

    def alone(self, vehicles: Collection[str]) -> "Unit":
        """The same with only those of its cars."""
        return msgspec.structs.replace(
            self, numbers=tuple(number for number in self.numbers if vehicle_id(number) in vehicles)
        )


def plan(seed: int, cases: int, healthy_days: int, modes: Sequence[FailureMode] = SIMULATED) -> list[Unit]:
    """All units: `cases` cars of each mode, and sound fleets of at least so many vehicle-days together."""
    struck = [_struck(seed, number, mode, cases) for number, mode in enumerate(SIMULATED) if mode in modes]
    fleets = math.ceil(healthy_days / (HEALTHY_CARS * HEALTHY_DAYS))
    sound = [
        Unit(
            f"healthy {number}",
            seed + 1 + number,
            STARTS[(5 * number) % len(STARTS)],
            HEALTHY_DAYS,
            tuple(range(HEALTHY_CARS)),
        )
        for number in range(fleets)
    ]
    return [one for one in (*struck, *sound) if one.numbers]


def _struck(seed: int, place: int, mode: FailureMode, cases: int) -> Unit:
    """The first cars from a number on that can have the mode, for as long as it takes them to fail."""
    numbers: list[int] = []
    number = NUMBERS_APART * place
    while len(numbers) < cases:
        if can_have(build_car(seed, number, 1, ()), mode):
            numbers.append(number)
        number += 1
    most = LONGEST * FAULT_MODES[mode].duration_days
    longest = max((min(_car(seed, one, 1, mode).faults[0].duration_days, most) for one in numbers), default=0.0)
    start = AUTUMN if FAULT_MODES[mode].intermittent is Intermittent.COLD else STARTS[(7 * place) % len(STARTS)]
    return Unit(f"mode {mode}", seed, start, math.ceil(ONSET_DAY + longest + AFTER_DAYS), tuple(numbers), mode)


def _car(seed: int, number: int, days: int, mode: FailureMode | None) -> Car:
    """A car with all that it draws; its fault begins at another hour than the next car's."""
    name = vehicle_id(number)
    orders = () if mode is None else (FaultOrder(mode, name, round(ONSET_DAY + number * 0.137 % 1.0, 2)),)
    return build_car(seed, number, days, orders, Variety.ALL)
