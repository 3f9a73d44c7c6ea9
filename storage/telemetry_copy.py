"""Samples as columns straight into PostgreSQL's binary COPY, without a Python object per row or value.

Every row is laid out at full width in one array of bytes, its nulls included; a mask of the same shape then
leaves out the bytes that a null, a shorter vehicle id or a shorter text does not have. The format is that of
"COPY" in PostgreSQL's manual; `real[]` and `jsonb` are as their send functions write them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from storage.binary_copy import HEADER, TRAILER
from vehicle.signals import CATALOGUE, SignalKind

_POSTGRES_ZERO: Final = np.datetime64("2000-01-01", "us")
_NULL: Final = -1
_FLOAT4_OID: Final = 700
_JSONB_VERSION: Final = 1
_MOST_BYTES_AT_ONCE: Final = 256 * 1024
"""Rows at full width are laid out in pieces of at most this size: while the server stores one, the next is laid out."""
_DTYPES: Final = {
    "boolean": "u1",
    "smallint": ">i2",
    "integer": ">i4",
    "real": ">f4",
    "double precision": ">f8",
}
_ARRAY_HEADER: Final = [
    ("dimensions", ">i4"), ("has_nulls", ">i4"), ("element", ">i4"), ("length", ">i4"), ("lower", ">i4"),
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """Samples of many batches as columns; every value lies in its signal's range or is NaN."""

    vehicle_ids: Sequence[str]
    """Of each batch."""
    batch: NDArray[np.intp]
    """Which batch each row is of, shape (n,)."""
    times: NDArray[np.datetime64]
    """datetime64[us], UTC, shape (n,)."""
    columns: dict[str, NDArray[np.float64]]
    """Per catalogue signal shape (n,), or (n, k) for arrays; NaN: not sampled."""
    extra: Sequence[bytes | None] = ()
    """JSON objects of what the catalogue does not know, one a row; empty: none in any row."""
    time_received: bool = False
    """The senders gave no times: these are those of arrival."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a table as COPY takes them."""

    columns: Sequence[str]
    """Of the table `telemetry`, in the order of the fields."""
    pieces: Iterable[memoryview]
    """What `binary_rows` gives; it may be laid out while it is sent."""


def rows_of(table: SampleTable, received_at: datetime) -> Rows:
    """The rows of a table, laid out when they are asked for."""
    marks = [name for name, there in (("time_received", table.time_received), ("extra", table.extra)) if there]
    return Rows(["vehicle_id", "time", "received_at", *table.columns, *marks], binary_rows(table, received_at))


def copy_rows(connection: psycopg.Connection[Any], rows: Rows) -> None:
    """Append rows, whose batches must be new."""
    with connection.cursor().copy(_statement(tuple(rows.columns))) as copy:
        copy.write(HEADER)
        for piece in rows.pieces:
            copy.write(piece)
        copy.write(TRAILER)


@lru_cache(maxsize=256)
def _statement(columns: tuple[str, ...]) -> bytes:
    """The COPY into these columns: cars send the same ones again and again."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY telemetry ({}) FROM STDIN (FORMAT binary)").format(names).as_bytes()


def copy_table(connection: psycopg.Connection[Any], table: SampleTable, received_at: datetime) -> int:
    """Append the samples, which must be new, and return how many rows that were."""
    copy_rows(connection, rows_of(table, received_at))
    return len(table.times)


def binary_rows(table: SampleTable, received_at: datetime) -> Iterator[memoryview]:
    """The rows in COPY's binary format, without its header and trailer, in pieces."""
    layout = _layout(table)
    step = max(1, _MOST_BYTES_AT_ONCE // layout.itemsize)
    for start in range(0, len(table.times), step):
        rows = _Rows(layout, len(table.times[start : start + step]))
        rows.fill(table, slice(start, start + step), received_at)
        yield rows.packed()


def _layout(table: SampleTable) -> np.dtype[Any]:
    """One row at its full width."""
    widest_id = max((len(vehicle_id) for vehicle_id in table.vehicle_ids), default=1)
    fields: list[Any] = [
        ("fields", ">i2"),
        ("vehicle_id", _field(f"S{widest_id}")),
        ("time", _field(">i8")),
        ("received_at", _field(">i8")),
    ]
    for name, values in table.columns.items():
        if CATALOGUE[name].kind is SignalKind.ARRAY:
            elements = np.dtype([*_ARRAY_HEADER, ("elements", _field(">f4"), (values.shape[1],))])
            fields.append((f"signal {name}", _field(elements)))
        else:
            fields.append((f"signal {name}", _field(_DTYPES[CATALOGUE[name].column_type])))
    if table.time_received:
        fields.append(("time_received", _field("u1")))
    if table.extra:
        widest = max(len(text) for text in table.extra if text is not None) if any(table.extra) else 1
        fields.append(("extra", _field(np.dtype([("version", "u1"), ("text", f"S{widest}")]))))
    return np.dtype(fields)


def _field(value: Any) -> np.dtype[Any]:
    return np.dtype([("size", ">i4"), ("value", value)])


class _Rows:
    """Some rows at full width, and which of their bytes are sent."""

    def __init__(self, layout: np.dtype[Any], count: int) -> None:
        self._layout = layout
        self._rows = np.zeros(count, layout)
        self._sent = np.ones((count, layout.itemsize), np.bool_)

    def fill(self, table: SampleTable, part: slice, received_at: datetime) -> None:
        """Write the rows of `part`."""
        self._rows["fields"] = len(self._layout.names or ()) - 1
        ids = np.array([vehicle_id.encode() for vehicle_id in table.vehicle_ids])
        lengths = np.array([len(vehicle_id) for vehicle_id in table.vehicle_ids])
        of_batch = table.batch[part]
        self._rows["vehicle_id"]["size"] = lengths[of_batch]
        self._rows["vehicle_id"]["value"] = ids[of_batch]
        self._cut(("vehicle_id", "value"), lengths[of_batch])
        self._numbers("time", (table.times[part] - _POSTGRES_ZERO).astype(np.int64), None)
        arrived = np.datetime64(received_at.replace(tzinfo=None), "us") - _POSTGRES_ZERO
        self._numbers("received_at", arrived.astype(np.int64), None)
        for name, values in table.columns.items():
            if values.ndim == 1:
                missing = np.isnan(values[part])
                self._numbers(f"signal {name}", values[part], missing if missing.any() else None)
            else:
                self._arrays(f"signal {name}", values[part])
        if table.time_received:
            self._numbers("time_received", 1, None)
        if table.extra:
            self._extras(table.extra[part])

    def packed(self) -> memoryview:
        """The bytes that are sent, row after row."""
        full = self._rows.view(np.uint8).reshape(self._sent.shape)
        return full[self._sent].data

    def _numbers(self, name: str, values: Any, missing: NDArray[np.bool_] | None) -> None:
        field = self._rows[name]
        field["size"] = field.dtype["value"].itemsize
        if missing is None:
            field["value"] = values
            return
        field["value"] = np.where(missing, 0, values)
        field["size"][missing] = _NULL
        self._leave_out((name, "value"), missing)

    def _arrays(self, name: str, values: NDArray[np.float64]) -> None:
        field, body = self._rows[name], self._rows[name]["value"]
        null_elements = np.isnan(values)
        present = values.shape[1] - null_elements.sum(axis=1)
        null_rows = present == 0
        header_bytes = 4 * len(_ARRAY_HEADER)
        field["size"] = np.where(null_rows, _NULL, header_bytes + 4 * values.shape[1] + 4 * present)
        body["dimensions"] = 1
        body["has_nulls"] = present < values.shape[1]
        body["element"] = _FLOAT4_OID
        body["length"] = values.shape[1]
        body["lower"] = 1
        body["elements"]["value"] = values
        body["elements"]["size"] = 4
        if null_elements.any():
            body["elements"]["size"][null_elements] = _NULL
            start, end = self._span((name, "value", "elements"))
            elements = self._sent[:, start:end].reshape(*values.shape, 8)
            elements[:, :, 4:] = ~null_elements[:, :, np.newaxis]
            self._sent[:, start:end] = elements.reshape(len(values), end - start)
            self._leave_out((name, "value"), null_rows)

    def _extras(self, extra: Sequence[bytes | None]) -> None:
        missing = np.array([text is None for text in extra])
        lengths = np.array([0 if text is None else len(text) for text in extra])
        field = self._rows["extra"]
        field["size"] = np.where(missing, _NULL, 1 + lengths)
        field["value"]["version"] = _JSONB_VERSION
        field["value"]["text"] = [text or b"" for text in extra]
        self._cut(("extra", "value", "text"), lengths)
        self._leave_out(("extra", "value"), missing)

    def _cut(self, path: tuple[str, ...], lengths: NDArray[Any]) -> None:
        start, end = self._span(path)
        self._sent[:, start:end] = np.arange(end - start) < lengths[:, np.newaxis]

    def _leave_out(self, path: tuple[str, ...], missing: NDArray[np.bool_]) -> None:
        start, end = self._span(path)
        self._sent[missing, start:end] = False

    def _span(self, path: tuple[str, ...]) -> tuple[int, int]:
        """The bytes of a row that a field takes."""
        layout: Any = self._layout
        start = 0
        for name in path:
            layout, offset = layout.fields[name][:2]
            start += offset
        return start, start + layout.itemsize
