"""The columns of one batch, the scalar ones as one array: NumPy's cost is by the call, not by the value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

BINARY32: Final = np.dtype("<f4")
BINARY64: Final = np.dtype("<f8")


class ColumnBlock(Mapping[str, NDArray[np.float64]]):
    """Values by signal name; like any mapping of arrays, and joined with others in one step.

    As it comes from the wire its scalars are still bytes; they become an array when somebody asks for one, or at once
    with those of many other blocks in `joined_scalars`.
    """

    __slots__ = ("_binary32", "_binary64", "_length", "_scalars", "arrays", "names")

    def __init__(
        self,
        names: tuple[str, ...],
        binary32: bytes,
        binary64: bytes,
        arrays: Mapping[str, NDArray[np.float64]],
        length: int,
    ) -> None:
        """Take columns of `length` samples as they are, without a copy; NaN: not sampled.

        Args:
            names: Of the scalar columns.
            binary32: The values of the first of them, column after column, little-endian.
            binary64: Those of the others.
            arrays: The columns with an array in each sample, shape (length, k).
            length: How many samples there are, at least one.
        """
        self.names = names
        self.arrays = arrays
        self._binary32 = binary32
        self._binary64 = binary64
        self._length = length
        self._scalars: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[np.float64]], length: int) -> "ColumnBlock":
        """Any mapping of columns of `length` samples as a block."""
        if isinstance(columns, cls):
            return columns
        scalars = {name: values for name, values in columns.items() if values.ndim == 1}
        arrays = {name: values for name, values in columns.items() if values.ndim > 1}
        values = b"".join(np.asarray(column, BINARY64).tobytes() for column in scalars.values())
        return cls(tuple(scalars), b"", values, arrays, length)

    @property
    def scalars(self) -> NDArray[np.float64]:
        """The values of the scalar columns, shape (len(names), length)."""
        if self._scalars is None:
            self._scalars = _values([self], self._length)
        return self._scalars

    @property
    def layout(self) -> tuple[int, int, int]:
        """What must be equal for blocks of the same names to be read in one step."""
        return len(self._binary32), len(self._binary64), self._length

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


def joined_scalars(blocks: Sequence[ColumnBlock]) -> NDArray[np.float64]:
    """The scalar columns of blocks of the same names, one after the other, shape (names, all samples)."""
    if len({block.layout for block in blocks}) == 1:
        return _values(blocks, blocks[0].layout[2])
    return np.concatenate([block.scalars for block in blocks], axis=1)


def _values(blocks: Sequence[ColumnBlock], length: int) -> NDArray[np.float64]:
    """The scalars of blocks of one layout."""
    count = len(blocks)
    parts = [
        np.frombuffer(b"".join(packed), dtype).reshape(count, -1, length).swapaxes(0, 1)
        for packed, dtype in (
            ([block._binary32 for block in blocks], BINARY32),  # noqa: SLF001 - a function of the class's
            ([block._binary64 for block in blocks], BINARY64),  # noqa: SLF001
        )
    ]
    return np.concatenate(parts, axis=0, dtype=np.float64).reshape(-1, count * length)
