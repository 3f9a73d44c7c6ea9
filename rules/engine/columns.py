"""Series of many cars as the engine reads them, and how they are made of single cars' panels."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.panel import WHOLE, Observations, Panel
from rules.engine.clock import Clock, clock_of
from vehicle.vehicle import VehicleRecord

WORKSHOP: Final = "workshop"
"""The series of the times at which a workshop gave the car back, having seen to all; its values mean nothing."""

Found = TypeVar("Found")
Values = NDArray[np.float64]
"""Shape (n, k): of n times and k like parts, or (n, 1) of the car; NaN is unknown, truths are 1 and 0."""


def visit_of(component: str) -> str:
    """The name of the same series of one component only."""
    return f"{WORKSHOP} {component}"


def is_visit(name: str) -> bool:
    """Whether a series tells when a workshop gave the car back."""
    return name.partition(" ")[0] == WORKSHOP


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One series of several cars."""

    clock: Clock
    values: Values
    members: tuple[str, ...] = WHOLE
    """The parts; a car with fewer of them than another has NaN for the rest."""
    widths: NDArray[np.intp] | None = None
    """How many parts each car has, where not all have the same."""

    def present(self, clock: Clock) -> NDArray[np.bool_]:
        """Which parts there are at a clock's times, shape (n, k) or (1, k)."""
        places = np.arange(len(self.members))
        if self.widths is None:
            return np.ones((1, len(places)), dtype=bool)
        return np.asarray(places < self.widths[clock.car][:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Several cars and what is known of them: signals, features and trouble codes by their names.

    A trouble code's series is the status byte, at the times at which it was told. Columns of one sender's samples share
    one clock.
    """

    vehicles: tuple[VehicleRecord, ...]
    columns: Mapping[str, Column]
    found: dict[Hashable, Any] = field(default_factory=dict)
    """What was worked out of it and several rules need."""

    def once(self, key: Hashable, make: Callable[[], Found]) -> Found:
        """What `make` makes, the first time it is asked for."""
        if key not in self.found:
            self.found[key] = make()
        made: Found = self.found[key]
        return made


def batch_of(cars: Sequence[tuple[VehicleRecord, Observations]]) -> Batch:
    """The batch of single cars' panels."""
    names = dict.fromkeys(name for _, observations in cars for name in observations)
    clocks: dict[tuple[int, ...], Clock] = {}
    columns = {}
    for name in names:
        panels = [observations.get(name) for _, observations in cars]
        key = tuple(id(one.times) if one is not None else 0 for one in panels)
        if key not in clocks:
            clocks[key] = clock_of([_microseconds(one) for one in panels])
        columns[name] = _column(clocks[key], panels)
    return Batch(tuple(vehicle for vehicle, _ in cars), columns)


def sampled(columns: Iterable[Column]) -> list[Clock]:
    """The times at which any of the columns has a value, a clock for each that they have."""
    by_clock: dict[int, list[Column]] = {}
    for column in columns:
        by_clock.setdefault(id(column.clock), []).append(column)
    clocks = []
    for together in by_clock.values():
        known = np.logical_or.reduce([np.isfinite(column.values).any(axis=1) for column in together])
        clock = together[0].clock
        clocks.append(clock if known.all() else clock.at(known))
    return clocks


def _microseconds(one: Panel | None) -> NDArray[np.int64]:
    if one is None:
        return np.empty(0, np.int64)
    return one.times.astype("datetime64[us]").astype(np.int64)


def _column(clock: Clock, panels: Sequence[Panel | None]) -> Column:
    members = max((one.locations for one in panels if one is not None), key=len)
    values = np.full((len(clock), len(members)), np.nan)
    for car, one in enumerate(panels):
        if one is not None:
            values[clock.of(car), : len(one.locations)] = one.values
    widths = np.array([len(one.locations) if one is not None else len(members) for one in panels])
    return Column(clock, values, members, None if (widths == len(members)).all() else widths)
