"""Observations: what was computed from samples, at the event times at which it could be known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

WHOLE: Final = ("",)
"""The one location of a feature that belongs to the vehicle as a whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One feature of one vehicle: n times of k like parts."""

    times: NDArray[np.datetime64]
    """datetime64[us], UTC, shape (n,), strictly increasing."""
    values: NDArray[np.float64]
    """Shape (n, k); NaN: unknown at that time."""
    locations: tuple[str, ...] = WHOLE

    def __len__(self) -> int:
        return len(self.times)

    def at(self, chosen: NDArray[np.bool_]) -> "Panel":
        """The chosen times of it."""
        return Panel(self.times[chosen], self.values[chosen], self.locations)


Observations = Mapping[str, Panel]
"""Panels by the name of their feature; a feature without observations is left out."""


def panel(times: ArrayLike, values: ArrayLike, locations: tuple[str, ...] = WHOLE) -> Panel:
    """A panel of values of shape (n,) or (n, k), without the times at which nothing is known."""
    stamps = np.asarray(times, dtype="datetime64[us]").reshape(-1)
    matrix = np.asarray(values, dtype=np.float64).reshape(len(stamps), len(locations))
    known = np.isfinite(matrix).any(axis=1)
    return Panel(stamps[known], matrix[known], locations)


def known(panels: Mapping[str, Panel]) -> dict[str, Panel]:
    """The panels that hold anything."""
    return {name: one for name, one in panels.items() if len(one)}
