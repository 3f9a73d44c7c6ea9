"""A fleet in Parquet files, for those who want it without broker and database.

In the folder: ``samples/YYYY-MM-DD.parquet`` with a row per sample, in the catalogue's names and units, null where a
signal was not sampled; ``events.parquet``; ``vehicles.parquet``, the registry's facts; and ``truth.jsonl``, which no
detector may see. Times are UTC. The samples of a hundred cars' day are held at a time, whatever the fleet's size.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from simulator.convoy import DayOfSamples
from simulator.day import BoolArray, FloatArray, IntArray
from simulator.fleet import Fleet
from simulator.truth import write_truth
from vehicle.batch import Event
from vehicle.signals import CATALOGUE, Signal, SignalKind

ROWS_TOGETHER: Final = 20_000
"""Rows of a row group, about 75 cars' day: what is held at a time."""
COMPRESSION: Final = "zstd"

_KINDS: Final = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "real[]": pa.list_(pa.float32()),
}
"""By the column's type in the database."""
_NAMED: Final = pa.dictionary(pa.int8(), pa.string())
_TIME: Final = pa.timestamp("us", tz="UTC")


def _field(signal: Signal) -> pa.Field:
    kind = _NAMED if signal.kind is SignalKind.ENUMERATION else _KINDS[signal.column_type]
    return pa.field(signal.name, kind, metadata={"unit": signal.unit, "title": signal.title})


_KEY: Final = [pa.field("vehicle_id", pa.dictionary(pa.int32(), pa.string()), nullable=False)]
SAMPLES: Final = pa.schema([*_KEY, pa.field("time", _TIME, nullable=False), *map(_field, CATALOGUE.values())])
EVENTS: Final = pa.schema(
    [
        pa.field("vehicle_id", pa.string(), nullable=False),
        pa.field("time", _TIME, nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("code", pa.string()),
        pa.field("status", pa.uint8(), metadata={"title": "ISO 14229-1 status byte of the code"}),
        pa.field("details", pa.string(), metadata={"title": "freeze frame or other facts, JSON"}),
    ]
)


def write_fleet(folder: Path, fleet: Fleet, report: Callable[[float], None]) -> int:
    """Write a whole fleet and return its number of samples; `report` is told the share that is done.

    Raises:
        FileExistsError: if the folder is there and has something in it.
        OSError: if it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError("the folder is not empty")
    (folder / "samples").mkdir()
    records = [asdict(vehicle.record) for vehicle in fleet.vehicles]
    pq.write_table(pa.Table.from_pylist(records), folder / "vehicles.parquet", compression=COMPRESSION)
    count = 0
    with pq.ParquetWriter(folder / "events.parquet", EVENTS, compression=COMPRESSION) as events:
        for index in range(fleet.days):
            report(index / fleet.days)
            file = folder / "samples" / f"{fleet.start + timedelta(days=index)}.parquet"
            with pq.ParquetWriter(file, SAMPLES, compression=COMPRESSION) as samples:
                for part in _parts(fleet.day(index)):
                    samples.write_table(_samples(part))
                    events.write_table(_events((vehicle_id, one.events) for vehicle_id, one in part))
                    count += sum(len(one.times) for _, one in part)
    # At the end, when it is there at once: before, the struck cars would live their days once more for it.
    write_truth(folder / "truth.jsonl", fleet.truth)
    report(1.0)
    return count


def _parts(cars: Iterable[tuple[str, DayOfSamples]]) -> Iterator[list[tuple[str, DayOfSamples]]]:
    """Cars together until they have enough rows."""
    part: list[tuple[str, DayOfSamples]] = []
    rows = 0
    for vehicle_id, samples in cars:
        part.append((vehicle_id, samples))
        rows += len(samples.times)
        if rows >= ROWS_TOGETHER:
            yield part
            part, rows = [], 0
    if part:
        yield part


def _samples(part: Sequence[tuple[str, DayOfSamples]]) -> pa.Table:
    days = [one for _, one in part]
    counts = [len(one.times) for one in days]
    places = np.repeat(np.arange(len(part), dtype=np.int32), counts)
    ids = pa.DictionaryArray.from_arrays(pa.array(places), pa.array([vehicle_id for vehicle_id, _ in part]))
    times = pa.array(np.concatenate([one.times for one in days]), type=_TIME)
    columns = [_column(signal, days, counts) for signal in CATALOGUE.values()]
    return pa.Table.from_arrays([ids, times, *columns], schema=SAMPLES)


def _column(signal: Signal, days: Sequence[DayOfSamples], counts: Sequence[int]) -> pa.Array:
    kind = SAMPLES.field(signal.name).type
    if not any(signal.name in one.columns for one in days):
        return pa.nulls(sum(counts), kind)
    if signal.kind is SignalKind.ARRAY:
        return _lists(signal.name, days, counts, kind.value_type)
    parts = [one.columns.get(signal.name) for one in days]
    values = np.concatenate(
        [np.full(count, np.nan) if part is None else part for part, count in zip(parts, counts, strict=True)]
    )
    if signal.kind is SignalKind.ENUMERATION:
        places = _scalars(values, pa.int8())
        return pa.DictionaryArray.from_arrays(places, pa.array(signal.values))
    return _scalars(values, kind)


def _scalars(values: FloatArray, kind: pa.DataType) -> pa.Array:
    """NaN becomes null."""
    missing = np.isnan(values)
    return pa.array(np.where(missing, 0.0, values).astype(kind.to_pandas_dtype()), type=kind, mask=missing)


def _lists(name: str, days: Sequence[DayOfSamples], counts: Sequence[int], kind: pa.DataType) -> pa.Array:
    """A list per row, null where all of it is NaN; cars differ in their lists' length."""
    values: list[FloatArray] = []
    lengths: list[IntArray] = []
    sampled: list[BoolArray] = []
    for one, count in zip(days, counts, strict=True):
        part = one.columns.get(name, np.full((count, 1), np.nan))
        there = np.asarray(~np.isnan(part).all(axis=1))
        sampled.append(there)
        lengths.append(there * part.shape[1])
        values.append(part[there].ravel())
    offsets = np.append(0, np.cumsum(np.concatenate(lengths))).astype(np.int32)
    flat = _scalars(np.concatenate(values), kind)
    return pa.ListArray.from_arrays(pa.array(offsets), flat, mask=pa.array(~np.concatenate(sampled)))


def _events(cars: Iterable[tuple[str, Sequence[Event]]]) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "vehicle_id": vehicle_id,
            "time": event.at,
            "kind": event.kind.value,
            "code": None if event.trouble_code is None else event.trouble_code.code,
            "status": None if event.trouble_code is None else int(event.trouble_code.status),
            "details": json.dumps(event.details) if event.details else None,
        }
        for vehicle_id, events in cars
        for event in events
    ]
    return pa.Table.from_pylist(rows, schema=EVENTS)
