"""Random numbers by what they are for, so that one thing's draws never shift another's."""

from enum import IntEnum
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike, NDArray

_WORDS: Final = 1 << 64
_GOLDEN: Final = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: multiples of it differ in half of their bits (Knuth)."""


class Purpose(IntEnum):
    """What a generator is drawn from for; its number is part of the seed and never changes."""

    FLEET = 0
    WEATHER = 1
    BIRTH = 2
    CELLS = 3
    ITINERARY = 4
    DRIVING = 5
    SENSORS = 6
    FAULT = 7
    SIGNALS = 8
    INCIDENCE = 9
    WORKSHOP = 10
    ROADS = 11
    CONFOUNDERS = 12
    MODULES = 16
    TROUBLES = 17


def generator(seed: int, purpose: Purpose, *key: int) -> np.random.Generator:
    """The generator of one purpose, further told apart by `key` (car, day, ...)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *key)))


@lru_cache(maxsize=1 << 16)
def _root(seed: int, purpose: Purpose, car: int) -> NDArray[np.uint64]:
    """What all days of a car start from, shape (3,)."""
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, car))
    return sequence.generate_state(3, np.uint64).astype(np.uint64, copy=False)


def day_key(seed: int, purpose: Purpose, car: int, day: int) -> NDArray[np.uint64]:
    """192 bits of a car's day, shape (3,); a hundred times cheaper than a seed sequence of its own."""
    return _root(seed, purpose, car) ^ np.uint64(day * _GOLDEN % _WORDS)


class _Words(ISeedSequence):
    """A seed that is ready."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32) -> NDArray[np.uint64]:  # noqa: ARG002
        """The seed, of the size and type that SFC64 asks for."""
        return self._words


def bits(seed: int, purpose: Purpose, car: int, day: int) -> np.random.SFC64:
    """Random bits of a car's day: SFC64 (Doty-Humphrey, PractRand), which mixes its seed in by twelve rounds."""
    return np.random.SFC64(_Words(day_key(seed, purpose, car, day)))  # type: ignore[arg-type] # any ISeedSequence will do
