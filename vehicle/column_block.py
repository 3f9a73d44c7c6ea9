"""The columns of one batch, the scalar ones as one array: NumPy's cost is by the call, not by the value."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray


class ColumnBlock(Mapping[str, NDArray[np.float64]]):
    """Values by signal name; like any mapping of arrays, and joined with others in one step."""

    __slots__ = ("arrays", "names", "scalars")

    def __init__(
        self,
        names: tuple[str, ...],
        scalars: NDArray[np.float64],
        arrays: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Take columns of n samples as they are, without a copy.

        Args:
            names: Of the scalar columns.
            scalars: Their values, shape (len(names), n).
            arrays: The columns with an array in each sample, shape (n, k).
        """
        self.names = names
        self.scalars = scalars
        self.arrays = arrays

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[np.float64]], length: int) -> "ColumnBlock":
        """Any mapping of columns of `length` samples as a block."""
        if isinstance(columns, cls):
            return columns
        scalars = {name: values for name, values in columns.items() if values.ndim == 1}
        block = np.array(list(scalars.values()), np.float64).reshape(len(scalars), length)
        arrays = {name: values for name, values in columns.items() if values.ndim > 1}
        return cls(tuple(scalars), block, arrays)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name in self.arrays:
            return self.arrays[name]
        if name not in self.names:
            raise KeyError(name)
        values: NDArray[np.float64] = self.scalars[self.names.index(name)]
        return values

    def __iter__(self) -> Iterator[str]:
        yield from self.names
        yield from self.arrays

    def __len__(self) -> int:
        return len(self.names) + len(self.arrays)

    def __repr__(self) -> str:
        return repr(dict(self))
