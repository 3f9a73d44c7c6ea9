"""What holds a car back besides road and air: a brake that does not let go, and the worn bearing of a drive unit.

The traction battery pays for both, so they belong to the drive itself; where their heat goes is said in `brakes` and
`drive_units`.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from simulator.car import Car
from simulator.day import Cars, FloatArray, IntArray
from simulator.faults import Fault, broken_part
from vehicle.failure import FailureMode

CALIPER_N: Final = 160.0
"""At the road, of a caliper that sticks with severity 1: 50 Nm at the wheel, where a sound one has 1 to 3 (engineering
estimate)."""
PADS_SHARE: Final = 0.3
"""Of that, where the pads are worn and the caliper is sound: they move badly in their slides (engineering estimate)."""
BEARING_NM: Final = 3.2
"""Friction at the motor's shaft, of a bearing with severity 1: a quarter of what a car takes at 70 km/h (engineering
estimate)."""


def brake_n(cars: Cars, car: IntArray, at_s: FloatArray) -> FloatArray:
    """Force at the road of brakes that drag.

    Args:
        cars: whose.
        car: of each row, as position in `cars`, never falling.
        at_s: of each row, seconds since the fleet's start.
    """
    force = np.zeros(len(car))
    for one, fault, rows in _struck(cars, FailureMode.BRAKE_DRAG, car):
        share = 1.0 if broken_part(one.seed, one.number, fault.order.mode) == "brake caliper" else PADS_SHARE
        force[rows] = CALIPER_N * share * fault.severity(at_s[rows])
    return force


def bearing_nm(cars: Cars, car: IntArray, at_s: FloatArray) -> FloatArray:
    """Friction torque of worn bearings at the motor's shaft; arguments as of `brake_n`."""
    torque = np.zeros(len(car))
    for _, fault, rows in _struck(cars, FailureMode.DRIVE_UNIT_BEARING_WEAR, car):
        torque[rows] = BEARING_NM * fault.severity(at_s[rows])
    return torque


def _struck(cars: Cars, mode: FailureMode, car: IntArray) -> Iterator[tuple[Car, Fault, slice]]:
    """The cars with the fault, and their rows."""
    for number, one in enumerate(cars.cars):
        fault = one.fault(mode)
        if fault is not None:
            first, end = np.searchsorted(car, [number, number + 1]).tolist()
            yield one, fault, slice(first, end)
