"""Random numbers by what they are for, so that one thing's draws never shift another's."""

from enum import IntEnum
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


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


def generator(seed: int, purpose: Purpose, *key: int) -> np.random.Generator:
    """The generator of one purpose, further told apart by `key` (car, day, ...)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *key)))


class NamedNoise:
    """Standard normal draws that hang on a name: more names shift nobody's draws.

    One counter-based generator (Philox, Salmon et al. 2011) stands for all names, each in a place of its own by the
    name's CRC-32; a generator per name would cost four times as much.
    """

    def __init__(self, seed: int, purpose: Purpose, *key: int) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(purpose, *key)))
        self._generator = np.random.Generator(self._bits)
        self._state: Any = self._bits.state

    def draw(self, name: str, count: int) -> NDArray[np.float64]:
        """The name's draws, shape (count,); the same at every call."""
        self._state["state"]["counter"][2] = crc32(name.encode())
        self._bits.state = self._state
        return self._generator.standard_normal(count)
