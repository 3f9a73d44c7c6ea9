"""What the like parts of a battery do at each of a day's rows: its cell groups and its modules.

A hundred groups at every row are a hundred times as many numbers as all else; but groups differ little, and so their
voltages follow from a few figures of the row and a few of the group. They are made for just the rows at which somebody
looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class GroupVoltages:
    """One battery's groups on one day: ``common + at_rows @ of_groups``, and what faults add."""

    common_mv: FloatArray
    """Shape (rows,)."""
    at_rows: NDArray[np.float32]
    """Shape (rows, k)."""
    of_groups: NDArray[np.float32]
    """Shape (k, groups); the product is in millivolts."""
    added_mv: Mapping[int, FloatArray]
    """By the place of a struck group from 0, shape (rows,)."""

    @property
    def groups(self) -> int:
        """How many."""
        return int(self.of_groups.shape[1])

    def millivolts(self, rows: IntArray) -> NDArray[np.float32]:
        """True voltage of every group at some of the rows, mV, shape (len(rows), groups)."""
        made = self.at_rows[rows] @ self.of_groups
        made += self.common_mv[rows, None].astype(np.float32)
        for place, added in self.added_mv.items():
            made[:, place] += added[rows]
        return made


@dataclass(frozen=True, slots=True, eq=False)
class ModuleTemperatures:
    """What one battery's probes show on one day: hottest inside, coldest outside, but for those that are not sound."""

    mean_c: FloatArray
    spread_k: FloatArray
    """Shape (rows,)."""
    place: FloatArray
    """Of each module, 1 for the hottest to -1 for the coldest, shape (modules,)."""
    struck_c: Mapping[int, FloatArray]
    """By place from 0, shape (rows,)."""

    def celsius(self, rows: IntArray) -> FloatArray:
        """Every probe at some of the rows, shape (len(rows), modules)."""
        shown = self.mean_c[rows, None] + self.spread_k[rows, None] * self.place
        for place, celsius in self.struck_c.items():
            shown[:, place] = celsius[rows]
        return shown
