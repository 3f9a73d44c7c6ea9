"""Sensors with a value per like part: cell groups and modules of the battery, and what the car makes of the groups."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.battery_parts import GroupVoltages, ModuleTemperatures
from simulator.day import BoolArray, Day, FloatArray, IntArray
from simulator.instruments import AWAKE, UP
from simulator.noise import normal_block
from simulator.profile import SamplingProfile
from simulator.randomness import Purpose, bits
from vehicle.signals import CATALOGUE

CELL_NOISE_MV: Final = 0.8
MODULE_NOISE_K: Final = 0.1
MODULE_STEP_K: Final = 0.5
"""Noise and steps (engineering estimates)."""
_CELL_STEPS: Final = round(1.0 / CATALOGUE["cell_voltages_v"].resolution)
_MADE: Final = ("cell_v_max_v", "cell_v_min_v", "cell_v_max_id", "cell_v_min_id", "cell_v_delta_mv")


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Rows at which something is read of like parts, shape (n,)."""

    up: BoolArray
    """The battery's management is up and looks at all groups."""
    apart: BoolArray
    """Every cell group and every module is sampled: at rest, and now and then otherwise."""


def sampled(day: Day, when: IntArray, profile: SamplingProfile) -> Sampled:
    """Where, from who answers at each row."""
    up = (when & UP) > 0
    sparse = up & ((when & AWAKE) == 0)
    counted = np.cumsum(sparse)
    before = counted[day.first] - sparse[day.first]
    return Sampled(up, up & (~sparse | ((counted - day.of(before)) % profile.cells_every == 0)))


def read_parts(day: Day, number: int, count: int, at: Sampled) -> dict[str, FloatArray]:
    """Columns that cell groups and modules of the car at this position give at its first `count` rows.

    Nothing without a sample.
    """
    first, car = int(day.first[number]), day.cars.cars[number]
    sent = slice(first, first + count)
    up, apart = np.flatnonzero(at.up[sent]), np.flatnonzero(at.apart[sent])
    columns: dict[str, FloatArray] = {}
    if len(up):
        read = _read_cells(day.cells[number], up, bits(car.seed, Purpose.SENSORS, car.number, day.index))
        if len(apart):
            chosen = read[np.searchsorted(up, apart)]
            columns["cell_voltages_v"] = _spread(chosen.astype(np.float64) / _CELL_STEPS, apart, count)
        columns |= _extremes(read, up, count)
    if len(apart):
        noise = bits(car.seed, Purpose.MODULES, car.number, day.index)
        columns["module_temps_c"] = _spread(_read_modules(day.modules[number], apart, noise), apart, count)
    return columns


def _read_cells(true: GroupVoltages, rows: IntArray, noise: np.random.BitGenerator) -> NDArray[np.float32]:
    """Cell groups as measured, in steps of the sensor, shape (len(rows), groups)."""
    read = normal_block(noise, len(rows), true.groups)
    read *= CELL_NOISE_MV
    read += true.millivolts(rows)
    read *= np.float32(_CELL_STEPS / 1000.0)
    np.rint(read, out=read)
    return np.maximum(read, 0.0, out=read)


def _extremes(read: NDArray[np.float32], up: IntArray, count: int) -> dict[str, FloatArray]:
    """What the car makes of its groups, at `count` rows of which it reads those of `up`."""
    every, high, low = np.arange(len(up)), read.argmax(axis=1), read.argmin(axis=1)
    highest, lowest = read[every, high].astype(np.float64), read[every, low].astype(np.float64)
    made = np.full((len(_MADE), count), np.nan)
    made[:, up] = (
        highest / _CELL_STEPS,
        lowest / _CELL_STEPS,
        high + 1.0,
        low + 1.0,
        np.rint((highest - lowest) * 1000.0 / _CELL_STEPS),
    )
    return dict(zip(_MADE, made, strict=True))


def _read_modules(true: ModuleTemperatures, rows: IntArray, noise: np.random.BitGenerator) -> FloatArray:
    """Temperature of every module as measured, shape (len(rows), modules)."""
    read = true.celsius(rows)
    read += MODULE_NOISE_K * normal_block(noise, *read.shape)
    return np.rint(read / MODULE_STEP_K) * MODULE_STEP_K


def _spread(values: FloatArray, at: IntArray, count: int) -> FloatArray:
    """The values at their rows, NaN between them."""
    whole = np.full((count, *values.shape[1:]), np.nan)
    whole[at] = values
    return whole
