"""The event times of several cars, one car after the other: what every column of the engine runs along."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
"""Microseconds since 1970, UTC."""
Places = NDArray[np.intp]

MAX_CARS: Final = 1023
"""So many cars' times fit into one key each."""

_BITS: Final = 53
"""Of a key for the time: the years 1970 to 2255."""


@dataclass(frozen=True, eq=False)
class Clock:
    """Times of up to `MAX_CARS` cars."""

    times: Times
    """Shape (n,), strictly increasing within a car."""
    starts: Places
    """Shape (cars + 1,): where each car's times begin, and where the last one's end."""

    def __len__(self) -> int:
        return len(self.times)

    @property
    def cars(self) -> int:
        """How many there are, those without any time included."""
        return len(self.starts) - 1

    @cached_property
    def car(self) -> Places:
        """Whose each time is, shape (n,)."""
        return np.repeat(np.arange(self.cars), np.diff(self.starts))

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """One increasing number per time that holds car and time, shape (n,)."""
        return keys(self.car, self.times)

    def of(self, car: int) -> slice:
        """The places of one car."""
        return slice(int(self.starts[car]), int(self.starts[car + 1]))

    def at(self, chosen: NDArray[np.bool_]) -> "Clock":
        """The chosen times."""
        counts = np.concatenate(([0], np.cumsum(chosen)))
        return Clock(self.times[chosen], counts[self.starts])

    def latest(self, other: "Clock") -> Places:
        """For each time of another clock the place of this one's latest time of the car up to it; -1: none."""
        if other is self:
            return np.arange(len(self))
        found = np.searchsorted(self.keys, other.keys, side="right") - 1
        return np.where(found >= self.starts[other.car], found, -1)

    def same(self, other: "Clock") -> Places:
        """For each time of another clock the place of the very same one; -1: this clock has none."""
        found = self.latest(other)
        return np.where((found >= 0) & (self.times[found] == other.times), found, -1) if len(self) else found


def keys(car: Places, times: Times) -> NDArray[np.int64]:
    """The keys of times of cars, of one shape."""
    return (car.astype(np.int64) << _BITS) + times


def clock_of(parts: Sequence[Times]) -> Clock:
    """The clock of cars of which each has these times."""
    starts = np.concatenate(([0], np.cumsum([len(part) for part in parts], dtype=np.intp)))
    return Clock(np.concatenate(parts) if parts else np.empty(0, np.int64), starts)


def union(clocks: Iterable[Clock], cars: int) -> Clock:
    """The times that any of the clocks has, all of the same cars."""
    distinct = list({id(clock): clock for clock in clocks if len(clock)}.values())
    if len(distinct) == 1:
        return distinct[0]
    merged = np.concatenate([np.empty(0, np.int64), *(clock.keys for clock in distinct)])
    # A stable sort merges what is in order already: many times as fast as `np.unique`, which hashes.
    merged.sort(kind="stable")
    merged = merged[np.diff(merged, prepend=merged[:1] - 1) != 0]
    starts = np.searchsorted(merged, np.arange(cars + 1, dtype=np.int64) << _BITS)
    return Clock(merged & ((1 << _BITS) - 1), starts)
