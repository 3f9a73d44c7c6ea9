"""The subsystems of a car in one place: who lives the day after whom, and all their sensors and tests."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from simulator import (
    altitude,
    brakes,
    charge_port,
    climate,
    computing,
    connectivity,
    contactors,
    drive_units,
    isolation,
    low_voltage,
    parking_brake,
    places,
    software_updates,
    traction_battery,
    trip_computer,
    tyre_care,
    tyre_sensors,
    tyres,
    usage,
)
from simulator.day import Cars, Day, FloatArray
from simulator.instruments import Sensor, Test


class Instrumented(Protocol):
    """A module with the instruments of its subsystem."""

    @property
    def SENSORS(self) -> Mapping[str, Sensor]:  # noqa: N802 -- a module's constant
        """By signal; the true values are day columns of the same names."""

    @property
    def TESTS(self) -> tuple[Test, ...]:  # noqa: N802 -- a module's constant
        """What control units look at."""


class Subsystem(Instrumented, Protocol):
    """A module whose state follows from the columns that are there before it."""

    def start(self, cars: Cars, ambient_c: FloatArray, /) -> Any:
        """State of all cars on the first midnight; `ambient_c`: the first day's mean, shape (cars,)."""

    def advance(self, state: Any, day: Day, /) -> None:
        """Live a day: add columns, `visible` and `failed` of the subsystem's modes, and move the state to midnight."""


SUBSYSTEMS: Final[tuple[Subsystem, ...]] = (
    isolation,
    drive_units,
    tyres,
    tyre_care,
    trip_computer,
    contactors,
    software_updates,
    computing,
    connectivity,
    tyre_sensors,
    brakes,
    parking_brake,
    places,
)
"""In the order in which they live the day. Before them `Convoy` itself calls those that give to the day's plan or take
from it: climate, low_voltage, usage, traction_battery, charge_port."""

_FIRST: Final[tuple[Instrumented, ...]] = (
    usage,
    climate,
    traction_battery,
    isolation,
    low_voltage,
    drive_units,
    tyres,
    charge_port,
)
"""In the order in which their signals have always been sent; later subsystems' follow."""
INSTRUMENTED: Final = tuple(dict.fromkeys((*_FIRST, *SUBSYSTEMS, altitude)))
"""Every subsystem once."""
SENSORS: Final = {name: sensor for part in INSTRUMENTED for name, sensor in part.SENSORS.items()}
TESTS: Final = tuple(test for part in INSTRUMENTED for test in part.TESTS)
