"""A car with one fault and the same car without it, through all their days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.car import Car, build_car, suits
from simulator.faults import FaultOrder
from simulator.fleet import Fleet
from simulator.truth import FaultTruth
from vehicle.batch import Event
from vehicle.failure import FailureMode

ONSET_DAY: Final = 4.0
"""Days that the twins have in common."""
CANDIDATES: Final = 24
"""A car that shows a mode well is among so many."""

Life = tuple[NDArray[np.datetime64], dict[str, NDArray[np.float64]], list[Event]]
"""Times, columns (NaN where a signal was not sampled) and events of a vehicle over all days."""


@dataclass(frozen=True)
class Twins:
    """The fault, and both lives."""

    fault: FaultTruth
    struck: Life
    healthy: Life


def lives(fleet: Fleet) -> dict[str, Life]:
    """Let a fleet live all its days."""
    parts: dict[str, list[Any]] = {}
    for index in range(fleet.days):
        for vehicle_id, samples in fleet.day(index):
            parts.setdefault(vehicle_id, []).append(samples)
    lived = {}
    for vehicle_id, days in parts.items():
        shapes = {name: values.shape[1:] for day in days for name, values in day.columns.items()}
        columns = {
            name: np.concatenate([day.columns.get(name, np.full((len(day.times), *shape), np.nan)) for day in days])
            for name, shape in shapes.items()
        }
        times = np.concatenate([day.times for day in days])
        lived[vehicle_id] = times, columns, [event for day in days for event in day.events]
    return lived


def live_twins(modes: Sequence[FailureMode], seed: int, days: int, start: date) -> dict[FailureMode, Twins]:
    """Each mode from `ONSET_DAY` on in a car of its own, one of those that show it well.

    Cars do not depend on each other: twins live side by side, and nobody else has to be there.
    """
    cars = [build_car(seed, number, days, ()) for number in range(CANDIDATES)]
    chosen: dict[FailureMode, Car] = {}
    for mode in modes:
        chosen[mode] = next(one for one in cars if suits(one, mode) and one not in chosen.values())
    struck = [
        build_car(seed, car.number, days, (FaultOrder(mode, car.vehicle_id, ONSET_DAY),))
        for mode, car in chosen.items()
    ]
    sound = [replace(car, vehicle_id=f"sound {car.vehicle_id}") for car in chosen.values()]
    fleet = Fleet([*struck, *sound], days, seed, start)
    lived = lives(fleet)
    return {
        FailureMode(fault.failure_mode): Twins(fault, lived[fault.vehicle_id], lived[f"sound {fault.vehicle_id}"])
        for fault in fleet.truth.faults
    }
