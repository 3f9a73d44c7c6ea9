"""What is wrong with car and wall while a charging session lasts, from the car's faults at its start."""

from typing import Final

import numpy as np

from simulator.car import Car
from simulator.charging import STEP_S, Ailments
from simulator.day import WET, BoolArray, FloatArray
from simulator.fault_modes import FAULT_MODES
from simulator.itinerary import PlugIn
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S, HOUR_S
from vehicle.failure import FailureMode

SLIPS: Final = 0.4
"""Chance that a wet latch does not hold through a step, at severity 1 (engineering estimate)."""
MOST_SLIPS: Final = 0.8
"""However worn, it catches now and then (engineering estimate)."""


def ailments(car: Car, index: int, plug: PlugIn, wetness: FloatArray) -> Ailments:
    """Of one session of the day `index`; `wetness`: the day's by the hour, shape (24,)."""
    at_s = np.array([index * DAY_S + plug.start_s])
    phases = _severity(car, FailureMode.CHARGER_PHASE_LOST, at_s)
    return Ailments(
        inlet=_severity(car, FailureMode.CHARGE_INLET_OVERHEATING, at_s),
        wiring=_severity(car, FailureMode.HOME_WIRING_FAULT, at_s),
        modules_lost=int(phases > 0.0) + int(phases >= 1.0),
        latch_open=_latch(car, index, plug, wetness),
    )


def _severity(car: Car, mode: FailureMode, at_s: FloatArray) -> float:
    fault = car.fault(mode)
    return 0.0 if fault is None else float(fault.severity(at_s)[0])


def _latch(car: Car, index: int, plug: PlugIn, wetness: FloatArray) -> BoolArray | None:
    """Per step whether a worn latch fails to hold: its switch stands still but for water in it."""
    mode = FailureMode.CHARGE_PORT_LATCH
    fault = car.fault(mode)
    if fault is None:
        return None
    at_s = np.arange(plug.start_s, plug.until_s, STEP_S)
    wet = wetness[(at_s / HOUR_S).astype(np.intp)] > WET
    rng = generator(car.seed, Purpose.FAULT, car.number, FAULT_MODES[mode].key, index, int(plug.start_s))
    chance = np.minimum(SLIPS * fault.severity(index * DAY_S + at_s), MOST_SLIPS) * wet
    return rng.random(len(at_s)) < chance
