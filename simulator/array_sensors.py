"""Sensors with a value per like part: cell groups and modules of the battery, and what the car makes of the groups."""

from typing import Final

import numpy as np

from simulator.day import BoolArray, FloatArray, IntArray
from simulator.instruments import AWAKE, UP
from simulator.profile import SamplingProfile
from simulator.randomness import NamedNoise
from vehicle.signals import CATALOGUE

CELL_NOISE_V: Final = 0.0008
MODULE_NOISE_K: Final = 0.1
MODULE_STEP_K: Final = 0.5
"""Noise and steps (engineering estimates)."""


def sampled_apart(when: IntArray, profile: SamplingProfile) -> BoolArray:
    """Rows of a car at which every cell group and every module is sampled: at rest, and now and then otherwise."""
    up = (when & UP) > 0
    sparse = up & ((when & AWAKE) == 0)
    return np.asarray(up & (~sparse | (np.cumsum(sparse) % profile.cells_every == 0)))


def read_cells(
    true_v: FloatArray, up: IntArray, apart: BoolArray, rng: np.random.Generator, count: int
) -> dict[str, FloatArray]:
    """Cell groups as measured, at a car's first `count` rows.

    Args:
        true_v: shape (rows, groups).
        up: the rows, of all, at which the battery's management is up; each draws its noise, whether it is sent or not.
        apart: rows at which the groups are sampled one by one, shape (rows,).
        rng: the car's own.
        count: how many rows are sent.

    Returns:
        The columns, NaN where there is no sample; those that are NaN all over are missing.
    """
    volts = true_v[up]
    noise = rng.standard_normal(volts.shape, dtype=np.float32)
    noise *= CELL_NOISE_V
    volts += noise
    up = up[: np.searchsorted(up, count)]
    if not len(up):
        return {}
    read = CATALOGUE["cell_voltages_v"].quantised(volts[: len(up)])
    every, high, low = np.arange(len(up)), read.argmax(axis=1), read.argmin(axis=1)
    highest, lowest = read[every, high], read[every, low]
    columns = {
        "cell_v_max_v": highest,
        "cell_v_min_v": lowest,
        "cell_v_max_id": high + 1.0,
        "cell_v_min_id": low + 1.0,
        "cell_v_delta_mv": (highest - lowest) * 1000.0,
    }
    made = {name: _spread(CATALOGUE[name].quantised(values), up, count) for name, values in columns.items()}
    alone = apart[up]
    return {"cell_voltages_v": _spread(read[alone], up[alone], count), **made} if alone.any() else made


def read_modules(true_c: FloatArray, apart: BoolArray, noise: NamedNoise, count: int) -> dict[str, FloatArray]:
    """Temperature of every module as measured, at a car's first `count` rows; nothing if there is no sample.

    `true_c` has shape (rows, modules), `apart` is where they are sampled.
    """
    at = np.flatnonzero(apart)
    true = true_c[at]
    draws = noise.draw("module_temps_c", true.size).reshape(true.shape)
    read = np.round((true + MODULE_NOISE_K * draws) / MODULE_STEP_K) * MODULE_STEP_K
    sent = int(np.searchsorted(at, count))
    if not sent:
        return {}
    return {"module_temps_c": _spread(CATALOGUE["module_temps_c"].quantised(read[:sent]), at[:sent], count)}


def _spread(values: FloatArray, at: IntArray, count: int) -> FloatArray:
    """The values at their rows, NaN between them."""
    whole = np.full((count, *values.shape[1:]), np.nan)
    whole[at] = values
    return whole
