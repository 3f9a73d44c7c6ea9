"""Samples of some cars as columns, one car after the other, and the features of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from features.panel import Observations
from features.table import ARRAYS, SIGNALS, observe
from features.window import LOOKBACK, Window
from rules.engine.clock import Clock, keys
from rules.engine.columns import Column
from rules.told import is_scalar
from vehicle.moment import microseconds
from vehicle.signals import CATALOGUE
from vehicle.vehicle import VehicleRecord


@dataclass(frozen=True, slots=True, eq=False)
class DayBlock:
    """Samples of some cars."""

    clock: Clock
    columns: Mapping[str, NDArray[np.float64]]
    """By signal, shape (n,) or (n, k) of arrays, NaN: not sampled."""

    def __len__(self) -> int:
        return len(self.clock)

    @classmethod
    def of(cls, table: pa.Table, vehicles: Sequence[VehicleRecord]) -> "DayBlock":
        """The samples of a table, each of a time once."""
        places = compute.index_in(table["vehicle_id"].cast(pa.string()), pa.array([one.vehicle_id for one in vehicles]))
        car = places.to_numpy().astype(np.intp)
        times = table["time"].cast(pa.timestamp("us")).to_numpy().astype("datetime64[us]").astype(np.int64)
        order = _in_order(keys(car, times))
        starts = np.searchsorted(car[order], np.arange(len(vehicles) + 1))
        names = [name for name in table.column_names if name not in {"vehicle_id", "time"}]
        return cls(Clock(times[order], starts), {name: _values(name, table[name])[order] for name in names})

    @classmethod
    def joined(cls, blocks: Sequence["DayBlock"]) -> "DayBlock":
        """The samples of several days, the earlier first, of the same cars."""
        if len(blocks) == 1:
            return blocks[0]
        order = np.argsort(np.concatenate([block.clock.keys for block in blocks]), kind="stable")
        times = np.concatenate([block.clock.times for block in blocks])[order]
        starts = np.sum([block.clock.starts for block in blocks], axis=0)
        names = [name for name in blocks[0].columns if all(name in block.columns for block in blocks)]
        return cls(
            Clock(times, starts), {name: stacked([one.columns[name] for one in blocks])[order] for name in names}
        )

    def without(self, names: Collection[str]) -> "DayBlock":
        """The same without some signals."""
        return DayBlock(self.clock, {name: values for name, values in self.columns.items() if name not in names})

    def since(self, start: int) -> "DayBlock":
        """Those from a time on."""
        chosen: NDArray[np.bool_] = np.greater_equal(self.clock.times, start)
        return self if chosen.all() else self.at(chosen)

    def at(self, chosen: NDArray[np.bool_]) -> "DayBlock":
        """The chosen ones."""
        return DayBlock(self.clock.at(chosen), {name: values[chosen] for name, values in self.columns.items()})

    def column(self, name: str) -> Column:
        """One signal as rules read it."""
        values = self.columns[name]
        if is_scalar(name):
            return Column(self.clock, values[:, None])
        sampled = np.asarray(np.isfinite(values).any(axis=1))
        members = tuple(str(number) for number in range(1, values.shape[1] + 1))
        part = Column(self.clock.at(sampled), values[sampled], members)
        widths = [width(part.values[part.clock.of(car)]) for car in range(part.clock.cars)]
        return Column(part.clock, part.values, members, np.array(widths))


def observe_cars(
    block: DayBlock, today: DayBlock, vehicles: Sequence[VehicleRecord], day: datetime
) -> list[tuple[VehicleRecord, Observations]]:
    """The features of each car's day; of arrays only the day's own samples count."""
    start = microseconds(day)
    frame = pd.DataFrame(
        {name: block.columns[name] for name in SIGNALS},
        index=pd.DatetimeIndex(block.clock.times.view("datetime64[us]"), tz="UTC"),
    )
    observed: list[tuple[VehicleRecord, Observations]] = []
    for car, vehicle in enumerate(vehicles):
        places = block.clock.of(car)
        times = block.clock.times[places]
        before = int(np.searchsorted(times, start - LOOKBACK // timedelta(microseconds=1))) + places.start
        arrays = {}
        for name in ARRAYS:
            values = today.columns[name][today.clock.of(car)]
            sampled = np.isfinite(values).any(axis=1)
            at = today.clock.times[today.clock.of(car)][sampled].view("datetime64[us]")
            arrays[name] = (at, values[sampled][:, : width(values)])
        window = Window(vehicle, day, day + timedelta(days=1), frame.iloc[before : places.stop], arrays)
        observed.append((vehicle, observe(window)))
    return observed


def width(values: NDArray[np.float64]) -> int:
    """How many parts were ever sampled."""
    sampled = np.flatnonzero(np.isfinite(values).any(axis=0))
    return int(sampled[-1]) + 1 if len(sampled) else 0


def stacked(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Rows of several parts, the narrow ones filled up with NaN."""
    widest = max((part.shape[1] for part in parts if part.ndim > 1), default=0)
    if not widest:
        return np.concatenate(parts)
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, widest - part.shape[1])), constant_values=np.nan) for part in parts]
    )


def _in_order(by: NDArray[np.int64]) -> NDArray[np.intp]:
    """The places by increasing key, the last of equal ones left out."""
    order = np.argsort(by, kind="stable")
    return np.asarray(order[np.diff(by[order], prepend=by[order][:1] - 1) != 0])


def _values(name: str, column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column as numbers at the signal's resolution."""
    signal = CATALOGUE[name]
    if pa.types.is_list(column.type):
        return signal.quantised(_matrix(column.combine_chunks()))
    if pa.types.is_dictionary(column.type):
        column = compute.index_in(column.cast(pa.string()), pa.array(signal.values))
    values = column.cast(pa.float64()).to_numpy()
    return signal.quantised(values)


def _matrix(lists: pa.ListArray) -> NDArray[np.float64]:
    """Rows of lists, NaN where a list is null or shorter than the longest."""
    lengths = compute.fill_null(compute.list_value_length(lists), 0).to_numpy()
    matrix = np.full((len(lists), int(lengths.max(initial=0))), np.nan)
    matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = (
        lists.flatten().cast(pa.float64()).to_numpy(zero_copy_only=False)
    )
    return matrix
