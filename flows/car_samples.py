"""Samples of one car that are to be judged, and those of several cars side by side, as the engine reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from features.stays import Stay, outside
from flows.day_block import stacked, width
from rules.engine.clock import Times, clock_of
from rules.engine.columns import Column, Values
from rules.told import is_scalar
from vehicle.signals import CATALOGUE


@dataclass(slots=True, eq=False)
class CarSamples:
    """Of one car, as many as were added and not dropped."""

    scalars: tuple[str, ...]
    arrays: tuple[str, ...]
    times: Times = field(default_factory=lambda: np.empty(0, np.int64))
    values: Values = field(init=False)
    """Of the scalars, shape (n, k)."""
    elements: dict[str, Values] = field(init=False)
    """Of each array, shape (n, k); NaN where it was not sampled."""
    widths: dict[str, int] = field(init=False)
    """How many parts of each array were ever sampled."""

    def __post_init__(self) -> None:
        self.values = np.empty((0, len(self.scalars)))
        self.elements = {name: np.empty((0, 0)) for name in self.arrays}
        self.widths = dict.fromkeys(self.arrays, 0)

    @classmethod
    def of(cls, signals: Sequence[str]) -> "CarSamples":
        """None yet, of these signals."""
        return cls(
            tuple(name for name in signals if is_scalar(name)), tuple(name for name in signals if not is_scalar(name))
        )

    def add(self, times: Times, columns: Mapping[str, NDArray[np.float64]], stays: Sequence[Stay]) -> None:
        """Take later samples, without those of stays in a workshop."""
        kept = outside(times.view("datetime64[us]"), stays)
        quantised = {name: CATALOGUE[name].quantised(values[kept]) for name, values in columns.items()}
        scalars = np.array([quantised[name] for name in self.scalars]).reshape(len(self.scalars), int(kept.sum()))
        self.times = np.concatenate([self.times, times[kept]])
        self.values = np.concatenate([self.values, scalars.T])
        self.elements = {name: stacked([known, quantised[name]]) for name, known in self.elements.items()}
        self.widths = {name: max(known, width(quantised[name])) for name, known in self.widths.items()}

    def clear(self) -> None:
        """Let go of all; how many parts there are stays known."""
        self.times, self.values = self.times[:0].copy(), self.values[:0].copy()
        self.elements = {name: np.empty((0, parts)) for name, parts in self.widths.items()}


def side_by_side(cars: Sequence[CarSamples]) -> dict[str, Column]:
    """The samples of cars, of the same signals, one car after the other; all scalars share one clock."""
    clock = clock_of([car.times for car in cars])
    values = np.concatenate([car.values for car in cars])
    columns = {name: Column(clock, values[:, [place]]) for place, name in enumerate(cars[0].scalars)}
    for name in cars[0].arrays:
        widths = np.array([car.widths[name] for car in cars])
        elements = stacked([car.elements[name] for car in cars])[:, : int(widths.max())]
        sampled = np.asarray(np.isfinite(elements).any(axis=1))
        members = tuple(str(number) for number in range(1, elements.shape[1] + 1))
        columns[name] = Column(clock.at(sampled), elements[sampled], members, widths)
    return columns
