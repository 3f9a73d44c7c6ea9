"""Trouble codes by status: what was last told of each, and how often it has newly come."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from rules.engine.clock import Clock
from rules.engine.columns import Column
from rules.engine.windows import MICROSECOND
from vehicle.codes import DtcStatus


def is_set(columns: Sequence[Column], status: DtcStatus, clock: Clock) -> NDArray[np.float64]:
    """Whether any of the codes was last told with all of the status bits; false where none was told."""
    result = np.zeros(len(clock), dtype=bool)
    for column in columns:
        place = column.clock.latest(clock)
        if len(column.clock):
            result |= (place >= 0) & _has(column, status)[place]
    return result.astype(np.float64)


def times_set(columns: Sequence[Column], status: DtcStatus, window: timedelta, clock: Clock) -> NDArray[np.float64]:
    """How often one of the codes has newly got all of the status bits within the window."""
    total = np.zeros(len(clock))
    for column in columns:
        has = _has(column, status)
        new = has.copy()
        new[1:] &= ~has[:-1] | (np.diff(column.clock.car) > 0)
        running = np.concatenate(([0], np.cumsum(new)))
        end = np.searchsorted(column.clock.keys, clock.keys, side="right")
        start = np.searchsorted(column.clock.keys, clock.keys - window // MICROSECOND, side="right")
        total += running[end] - running[np.clip(start, column.clock.starts[clock.car], end)]
    return total


def _has(column: Column, status: DtcStatus) -> NDArray[np.bool_]:
    bits = np.nan_to_num(column.values[:, 0]).astype(np.int64)
    return np.asarray(bits & int(status) == int(status))
