"""What the comparison of cell groups remembers of one pack: plain data."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Row = list[float | None]
"""One value per cell group in mV, None where it is unknown."""


class CellState(msgspec.Struct, omit_defaults=True):
    """One cell group that has been abnormal of late."""

    bad_days: int = 0
    """Judged days on which it was abnormal, without a break."""
    bad_since: int = 0
    """Microseconds since 1970."""
    well_days: int = 0
    """Judged days, since it was found weak, on which it was back among its peers, without a break."""
    grade: int = 0
    """0: not found weak; 1: beyond the lower threshold; 2: beyond the upper one."""


class PackState(msgspec.Struct, omit_defaults=True):
    """One pack."""

    cell_count: int = 0
    first: list[Row] = []
    """The deviations of the first days, from which a drift is counted."""
    times: list[int] = []
    """Of `recent`, microseconds since 1970."""
    recent: list[Row] = []
    """The latest days' deviations, oldest first."""
    cells: dict[str, CellState] = {}
    """By location."""

    def weak(self) -> dict[str, int]:
        """The grade of each cell group found weak, in the order of their numbers."""
        held = {name: cell.grade for name, cell in self.cells.items() if cell.grade}
        return dict(sorted(held.items(), key=lambda item: int(item[0].removeprefix("V_"))))

    def plain(self) -> Any:
        """The same as JSON values."""
        return msgspec.to_builtins(self)


def restore(plain: Any) -> PackState:
    """The state that `plain` holds; None: nothing is known yet."""
    return PackState() if plain is None else msgspec.convert(plain, PackState)


def listed(deviation: NDArray[np.float64]) -> Row:
    """A row of deviations as JSON values, to a tenth of a millivolt."""
    return [None if np.isnan(value) else round(value, 1) for value in deviation.tolist()]


def matrix(rows: list[Row]) -> NDArray[np.float64]:
    """Rows of deviations, shape (days, cells), NaN where one is unknown."""
    return np.array(rows, dtype=np.float64)
