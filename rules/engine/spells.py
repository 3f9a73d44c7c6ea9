"""Unbroken times of several cars: few beginnings and ends, however many samples tell them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.engine.clock import Clock, Places, Times, clock_of, keys

Spans = NDArray[np.int64]
"""Beginnings and ends of one car's, shape (n, 2), microseconds since 1970."""


@dataclass(frozen=True, eq=False)
class Spells:
    """One after the other, car by car."""

    begun: Clock
    ends: Times

    def of(self, car: int) -> Spans:
        """Those of one car."""
        places = self.begun.of(car)
        return np.column_stack((self.begun.times[places], self.ends[places]))

    def lasted(self, car: Places, until: Times) -> NDArray[np.int64]:
        """Microseconds of them up to some times of cars, all three of shape (n,)."""
        if not len(self.ends):
            return np.zeros(len(until), np.int64)
        total = np.concatenate(([0], np.cumsum(self.ends - self.begun.times)))
        place = np.searchsorted(self.begun.keys, keys(car, until), side="right") - 1
        first = self.begun.starts[car]
        inside = np.minimum(until, self.ends[place]) - self.begun.times[place]
        return np.where(place >= first, total[place] - total[first] + inside, 0)


def spells(clock: Clock, longest_gap: int) -> Spells:
    """The times during which a clock's follow each other within a gap, microseconds."""
    begins = np.diff(clock.times, prepend=0) > longest_gap
    begins[clock.starts[:-1][np.diff(clock.starts) > 0]] = True
    lasts = np.append(np.flatnonzero(begins)[1:], len(clock)) - 1
    return Spells(clock.at(begins), clock.times[lasts] if len(clock) else clock.times)


def joined(before: Sequence[Spans], later: Spells) -> Spells:
    """Spells of cars and those that follow them; where one begins as the last one before it ends, they are one."""
    spans = []
    for car, earlier in enumerate(before):
        after = later.of(car)
        goes_on = len(earlier) and len(after) and earlier[-1, 1] == after[0, 0]
        if goes_on:
            after[0, 0] = earlier[-1, 0]
        spans.append(np.concatenate((earlier[:-1] if goes_on else earlier, after)))
    ends = np.concatenate([one[:, 1] for one in spans]) if spans else later.ends
    return Spells(clock_of([one[:, 0] for one in spans]), ends)
