"""Random numbers by what they are for, so that one thing's draws never shift another's."""

from enum import IntEnum

import numpy as np


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


def generator(seed: int, purpose: Purpose, *key: int) -> np.random.Generator:
    """The generator of one purpose, further told apart by `key` (car, day, ...)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *key)))
