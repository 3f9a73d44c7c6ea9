"""Faults as they come by themselves: by the rates of `fault_modes.toml` rather than by order.

Each mode strikes a car by a Poisson process of its own; what counts is the first time within the days.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from simulator.car import Car
from simulator.fault_modes import FAULT_MODES, SIMULATED
from simulator.faults import FaultError, FaultOrder
from simulator.models import Chemistry
from simulator.owner import HomeCharger
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode

DAYS_PER_YEAR: Final = 365.25
CARS_PER_RATE: Final = 1000.0
"""Rates are per so many car-years."""
KEYS: Final = 64
"""Every car draws for so many modes' keys, so that one more mode shifts no other's draws."""


def draw_faults(
    cars: Iterable[Car], days: int, factor: float, modes: Sequence[FailureMode] = SIMULATED
) -> list[FaultOrder]:
    """What strikes these cars within the days, car by car and mode by mode; several in one car are possible.

    Args:
        cars: that may be struck; a car's faults do not depend on the others.
        days: from the fleet's start; nothing is drawn to have begun before.
        factor: how much more often than in real fleets; 0: never.
        modes: that may be drawn.

    Raises:
        FaultError: if the factor is no number from 0 on.
    """
    if not 0.0 <= factor < np.inf:
        raise FaultError(f"the incidence {factor} is not a factor from 0 on")
    orders = []
    for car in cars:
        waits = generator(car.seed, Purpose.INCIDENCE, car.number).standard_exponential(KEYS)
        for mode in modes:
            per_day = rate(car, mode) * factor / CARS_PER_RATE / DAYS_PER_YEAR
            if waits[FAULT_MODES[mode].key] < days * per_day and can_have(car, mode):
                onset_day = round(float(waits[FAULT_MODES[mode].key]) / per_day, 2)
                orders.append(FaultOrder(mode, car.vehicle_id, onset_day))
    return orders


def rate(car: Car, mode: FailureMode) -> float:
    """How often the mode comes to cars of its batch, per 1,000 car-years."""
    return FAULT_MODES[mode].incidence * car.batch.quality(mode).rate


def can_have(car: Car, mode: FailureMode) -> bool:
    """Whether the car has what the mode strikes."""
    match mode:
        case FailureMode.BMS_CALIBRATION_DRIFT:
            return car.model.chemistry is Chemistry.LFP
        case FailureMode.HOME_WIRING_FAULT:
            return car.owner.charger is not HomeCharger.NONE
        case _:
            return True
