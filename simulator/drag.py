"""What holds a car back besides road and air: a brake that does not let go, and the worn bearing of a drive unit.

The traction battery pays for both, so they belong to the drive itself; where their heat goes is said in `brakes` and
`drive_units`.
"""

from typing import Final

import numpy as np

from simulator.day import Cars, FloatArray, IntArray
from simulator.faults import broken_part
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
    share = np.full(len(cars), PADS_SHARE)
    for number, one in enumerate(cars.cars):
        if one.fault(FailureMode.BRAKE_DRAG) is not None and _sticks(one.seed, one.number):
            share[number] = 1.0
    return CALIPER_N * share[car] * cars.severity(FailureMode.BRAKE_DRAG, car, at_s)


def bearing_nm(cars: Cars, car: IntArray, at_s: FloatArray) -> FloatArray:
    """Friction torque of worn bearings at the motor's shaft; arguments as of `brake_n`."""
    return BEARING_NM * cars.severity(FailureMode.DRIVE_UNIT_BEARING_WEAR, car, at_s)


def _sticks(seed: int, number: int) -> bool:
    """Whether the caliper is what is broken, rather than the pads."""
    return broken_part(seed, number, FailureMode.BRAKE_DRAG) == "brake caliper"
