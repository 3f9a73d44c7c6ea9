"""Faults as data: what is ordered, how each mode grows, and how severe one is at a time.

Severity is 0 until the onset and about 1 at functional failure. What it does to the car is written in the subsystem it
strikes; functional failure is a condition there on what physics makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.models import CarModel
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

WHEELS: Final = ("fl", "fr", "rl", "rr")


class FaultError(ValueError):
    """A fault was ordered that cannot be built; the message says what can."""


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """One fault to be built into one car."""

    mode: FailureMode
    vehicle_id: str
    onset_day: float
    """Days after the fleet's start; before it where negative."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How a mode grows: severity = (days since onset / duration) ** exponent."""

    duration_days: float
    """Median from onset to severity 1."""
    scatter: float
    """Standard deviation of the duration's logarithm between cars."""
    exponent: float


GROWTH: Final = {
    # Lead time 2 to 4 weeks: a vendor's claim.
    FailureMode.LV_BATTERY_AGEING: Growth(24.0, 0.12, 1.4),
    # Days to weeks: an engineering estimate; a nail that works itself loose leaks faster with time.
    FailureMode.TYRE_SLOW_LEAK: Growth(15.0, 0.15, 1.2),
    # Days to weeks: an engineering estimate.
    FailureMode.WEAK_CELL_GROUP: Growth(20.0, 0.12, 1.3),
    # Days to weeks: an engineering estimate.
    FailureMode.COOLANT_PUMP_WEAK: Growth(16.0, 0.15, 1.0),
    # Weeks: an engineering estimate; heat oxidises the contact, which makes heat.
    FailureMode.CHARGE_INLET_OVERHEATING: Growth(18.0, 0.12, 1.6),
    # Days to weeks: an engineering estimate; the conductance itself grows by decades.
    FailureMode.HV_ISOLATION_LOSS: Growth(18.0, 0.15, 1.0),
}

WORST: Final = 2.5
"""Severity stops here: a car that is still used after failure does not leave the range of its models."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An ordered fault with what was drawn for it."""

    order: FaultOrder
    duration_days: float
    location: int
    """Wheel or cell group from 0; 0 for modes without like parts."""
    location_name: str
    """``fl``, ``V_17``; empty for modes without like parts."""

    def severity(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Severity at times in seconds since the fleet's start."""
        growth = GROWTH[self.order.mode]
        grown = np.maximum(at_s / DAY_S - self.order.onset_day, 0.0) / self.duration_days
        return np.minimum(grown**growth.exponent, WORST)


def build_fault(seed: int, number: int, model: CarModel, order: FaultOrder) -> Fault:
    """Draw duration and location of a fault of car `number`, the same whatever else the fleet holds."""
    growth = GROWTH[order.mode]
    rng = generator(seed, Purpose.FAULT, number, list(FailureMode).index(order.mode))
    duration = growth.duration_days * float(np.exp(growth.scatter * rng.standard_normal()))
    match order.mode:
        case FailureMode.TYRE_SLOW_LEAK:
            location = int(rng.integers(len(WHEELS)))
            name = WHEELS[location]
        case FailureMode.WEAK_CELL_GROUP:
            location = int(rng.integers(model.cell_count))
            name = f"V_{location + 1}"
        case _:
            location, name = 0, ""
    return Fault(order, duration, location, name)


def parse_order(text: str) -> FaultOrder:
    """Read ``MODE:VEHICLE:DAY``, e.g. ``tyre_slow_leak:car-0003:10``.

    Raises:
        FaultError: with the modes there are.
    """
    mode, _, rest = text.partition(":")
    vehicle_id, _, day = rest.rpartition(":")
    if mode not in set(FailureMode):
        raise FaultError(f"fault {text!r}: there is no mode {mode!r}; the modes are {', '.join(FailureMode)}")
    try:
        onset_day = float(day)
    except ValueError:
        onset_day = float("nan")
    if not vehicle_id or not np.isfinite(onset_day):
        raise FaultError(f"fault {text!r} is not MODE:VEHICLE:DAY, e.g. {mode}:car-0003:10")
    return FaultOrder(FailureMode(mode), vehicle_id, onset_day)


def check_orders(orders: Sequence[FaultOrder], vehicle_ids: Sequence[str]) -> None:
    """Refuse faults of cars that are not in the fleet, and the same mode twice in a car.

    Raises:
        FaultError: with every mistake, one per line.
    """
    known = set(vehicle_ids)
    mistakes = [
        f"fault {order.mode}: there is no vehicle {order.vehicle_id!r} among {vehicle_ids[0]} to {vehicle_ids[-1]}"
        for order in orders
        if order.vehicle_id not in known
    ]
    seen: set[tuple[FailureMode, str]] = set()
    for order in orders:
        key = (order.mode, order.vehicle_id)
        if key in seen:
            mistakes.append(f"fault {order.mode}: ordered twice for {order.vehicle_id}")
        seen.add(key)
    if mistakes:
        raise FaultError("\n".join(mistakes))
