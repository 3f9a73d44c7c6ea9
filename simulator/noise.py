"""Sensor noise: normal draws by the ten thousand, each hanging on its car, day, row and name alone.

A normal draw here is one of 65,536 equally likely values, looked up by 16 random bits: an eighth of the price of an
exact one, and no reading shows the difference.
"""

import math
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from simulator.day import Day, FloatArray
from simulator.randomness import Purpose, day_key

UintArray = NDArray[np.uint32]


def _quantiles(count: int) -> FloatArray:
    """Values of a standard normal distribution from the middles of equally likely pieces."""
    grid = np.linspace(-6.0, 6.0, 6001)
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in grid.tolist()])
    return np.interp((np.arange(count) + 0.5) / count, below, grid)


_NORMAL: Final = _quantiles(1 << 16)
_NORMAL_32: Final = _NORMAL.astype(np.float32)
_ROW: Final = np.uint32(0x9E3779B9)
_FIRST, _SECOND = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
"""Multipliers of `lowbias32` (Wellons 2018): a change of one bit changes each other one with a chance of one half."""
_HALF, _LESS = np.uint32(16), np.uint32(15)


def _mix(words: UintArray, more: UintArray, spare: UintArray) -> UintArray:
    """Mix `more` into `words` in place; `spare` is room of the same shape."""
    np.right_shift(words, _HALF, out=spare)
    words ^= spare
    words *= _FIRST
    words += more
    np.right_shift(words, _LESS, out=spare)
    words ^= spare
    words *= _SECOND
    np.right_shift(words, _HALF, out=spare)
    words ^= spare
    return words


class RowNoise:
    """Draws for every row of a day, all cars at once; a row's hang on its car, day, place and their name alone."""

    def __init__(self, day: Day) -> None:
        keys = [day_key(one.seed, Purpose.SIGNALS, one.number, day.index)[:2] for one in day.cars.cars]
        parts = np.array(keys).view(np.uint32)[day.car]
        place = (np.arange(len(day)) - day.first[day.car]).astype(np.uint32)
        self._spare = np.empty(len(day), np.uint32)
        self._words = _mix(place * _ROW ^ parts[:, 0], parts[:, 1].copy(), self._spare)
        self._more = _mix(place * _ROW ^ parts[:, 2], parts[:, 3].copy(), self._spare)
        self._mixed = np.empty_like(self._spare)
        self._drawn = np.empty(len(day))

    def uniform(self, name: str) -> FloatArray:
        """Of 0 to 1, shape (n,)."""
        return self._draw(name) / float(1 << 32)

    def normal(self, name: str) -> FloatArray:
        """Standard normal, shape (n,); overwritten by the next call."""
        drawn = self._draw(name)
        np.right_shift(drawn, _HALF, out=drawn)
        # Nothing lies outside the table; wrapping is merely NumPy's cheapest way not to look.
        return _NORMAL.take(drawn, out=self._drawn, mode="wrap")

    def _draw(self, name: str) -> UintArray:
        np.bitwise_xor(self._words, np.uint32(crc32(name.encode())), out=self._mixed)
        return _mix(self._mixed, self._more, self._spare)


def normal_block(bits: np.random.BitGenerator, rows: int, width: int) -> NDArray[np.float32]:
    """Standard normal draws of shape (rows, width): more rows change none of those before."""
    words: NDArray[np.uint64] = bits.random_raw((rows * width + 3) // 4)
    return _NORMAL_32.take(words.view(np.uint16)[: rows * width], mode="wrap").reshape(rows, width)
