"""Faults: what is ordered, what is drawn for it, and how severe one is at a time.

Severity is 0 until the onset and about 1 at functional failure. What it does to the car is written in the subsystem it
strikes; functional failure is a condition there on what physics makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.fault_modes import FAULT_MODES, SIMULATED, LikeParts
from simulator.models import CarModel
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

WHEELS: Final = ("fl", "fr", "rl", "rr")
AXLES: Final = ("f", "r")
PHASES: Final = ("L1", "L2", "L3")


class FaultError(ValueError):
    """A fault was ordered that cannot be built; the message says what can."""


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """One fault to be built into one car."""

    mode: FailureMode
    vehicle_id: str
    onset_day: float
    """Days after the fleet's start; before it where negative."""


WORST: Final = 2.5
"""Severity stops here: a car that is still used after failure does not leave the range of its models."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An ordered fault with what was drawn for it."""

    order: FaultOrder
    duration_days: float
    location: int
    """Wheel, cell group, axle, phase or module from 0; 0 for modes without like parts."""
    location_name: str
    """``fl``, ``V_17``, ``r``, ``L2``, ``M_3``; empty for modes without like parts."""
    repaired_s: float = np.inf
    """From then on there is no fault, in seconds since the fleet's start."""

    def severity(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Severity at times in seconds since the fleet's start."""
        mode = FAULT_MODES[self.order.mode]
        grown = np.maximum(at_s / DAY_S - self.order.onset_day, 0.0) / self.duration_days
        return np.where(at_s < self.repaired_s, np.minimum(grown**mode.exponent, WORST), 0.0)


def build_fault(seed: int, number: int, model: CarModel, order: FaultOrder, pace: float = 1.0) -> Fault:
    """Draw duration and location of a fault of car `number`, the same whatever else the fleet holds.

    `pace`: what the car's batch makes of the duration.
    """
    mode = FAULT_MODES[order.mode]
    rng = generator(seed, Purpose.FAULT, number, mode.key)
    duration = mode.duration_days * pace * float(np.exp(mode.scatter * rng.standard_normal()))
    names = _like_parts(model, mode.like_parts)
    name = names[int(rng.integers(len(names)))]
    every = AXLES if mode.like_parts is LikeParts.AXLE else names
    return Fault(order, duration, every.index(name), name)


def broken_part(seed: int, number: int, mode: FailureMode) -> str:
    """The one of the mode's parts that is broken in car `number`; empty where no part is."""
    parts = FAULT_MODES[mode].parts
    rng = generator(seed, Purpose.WORKSHOP, number, FAULT_MODES[mode].key, 0)
    return parts[int(rng.integers(len(parts)))] if parts else ""


def _like_parts(model: CarModel, kind: LikeParts) -> tuple[str, ...]:
    match kind:
        case LikeParts.NONE:
            return ("",)
        case LikeParts.WHEEL:
            return WHEELS
        case LikeParts.CELL_GROUP:
            return tuple(f"V_{number}" for number in range(1, model.cell_count + 1))
        case LikeParts.AXLE:
            return model.motors
        case LikeParts.PHASE:
            return PHASES
        case LikeParts.MODULE:
            return tuple(f"M_{number}" for number in range(1, model.module_count + 1))


def parse_order(text: str) -> FaultOrder:
    """Read ``MODE:VEHICLE:DAY``, e.g. ``tyre_slow_leak:car-0003:10``.

    Raises:
        FaultError: with the modes there are.
    """
    mode, _, rest = text.partition(":")
    vehicle_id, _, day = rest.rpartition(":")
    if mode not in set(SIMULATED):
        problem = f"{mode} cannot be simulated yet" if mode in set(FailureMode) else f"there is no mode {mode!r}"
        raise FaultError(f"fault {text!r}: {problem}; the modes are {', '.join(SIMULATED)}")
    try:
        onset_day = float(day)
    except ValueError:
        onset_day = float("nan")
    if not vehicle_id or not np.isfinite(onset_day):
        raise FaultError(f"fault {text!r} is not MODE:VEHICLE:DAY, e.g. {mode}:car-0003:10")
    return FaultOrder(FailureMode(mode), vehicle_id, onset_day)


def check_orders(orders: Sequence[FaultOrder], vehicle_ids: Sequence[str]) -> None:
    """Refuse modes that cannot be simulated yet, cars that are not in the fleet, and the same mode twice in a car.

    Raises:
        FaultError: with every mistake, one per line.
    """
    known = set(vehicle_ids)
    mistakes = [
        f"fault {order.mode}: there is no vehicle {order.vehicle_id!r} among {vehicle_ids[0]} to {vehicle_ids[-1]}"
        for order in orders
        if order.vehicle_id not in known
    ]
    mistakes += [f"fault {order.mode}: cannot be simulated yet" for order in orders if order.mode not in SIMULATED]
    seen: set[tuple[FailureMode, str]] = set()
    for order in orders:
        key = (order.mode, order.vehicle_id)
        if key in seen:
            mistakes.append(f"fault {order.mode}: ordered twice for {order.vehicle_id}")
        seen.add(key)
    if mistakes:
        raise FaultError("\n".join(mistakes))
