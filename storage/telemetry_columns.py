"""The samples of many cars at a time as columns: what is read of a whole fleet has no Python object per value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from storage.arrays import DOUBLE_ARRAY_OID, REAL_ARRAY_OID, DoubleArrayLoader, RealArrayLoader
from vehicle.signals import CATALOGUE, SignalKind

_CAR: Final = sql.SQL("array_position(%(vehicles)s::text[], vehicle_id) - 1")
_MICROSECONDS: Final = sql.SQL("extract(epoch FROM {}) * 1000000")
_OF_DAY: Final = sql.SQL("FROM telemetry WHERE vehicle_id = ANY(%(vehicles)s) AND time >= %(start)s AND time < %(end)s")


@dataclass(frozen=True, slots=True, eq=False)
class SampleColumns:
    """Samples by car and time; of those of a car at one time the one that arrived first, with what it has."""

    car: NDArray[np.intp]
    """Shape (n,): places in the list of cars that was asked for."""
    times: NDArray[np.int64]
    """Microseconds since 1970, UTC, shape (n,)."""
    values: Mapping[str, NDArray[np.float64]]
    """By signal, shape (n,) or (n, k) of arrays; NaN: not sampled. Enumerations are the index of their value."""


def read_columns(
    connection: psycopg.Connection[Any],
    vehicles: Sequence[str],
    start: datetime,
    end: datetime,
    signals: Sequence[str],
) -> SampleColumns:
    """The samples of some cars in [start, end)."""
    asked = {"vehicles": list(vehicles), "start": start, "end": end}
    scalars = [name for name in signals if CATALOGUE[name].kind is not SignalKind.ARRAY]
    places, ats, received, *columns = _scalars(connection, scalars, asked)
    order = np.lexsort((received, ats, places))
    car, times = places[order].astype(np.intp), ats[order].astype(np.int64)
    first = np.ones(len(car), dtype=bool)
    first[1:] = (np.diff(car) != 0) | (np.diff(times) != 0)
    car, times = car[first], times[first]
    values = {name: column[order][first] for name, column in zip(scalars, columns, strict=True)}
    arrays = [name for name in signals if name not in values]
    values |= {name: _array(connection, name, asked, (car, times)) for name in arrays}
    return SampleColumns(car, times, values)


def _scalars(
    connection: psycopg.Connection[Any], names: Sequence[str], asked: Mapping[str, Any]
) -> list[NDArray[np.float64]]:
    """Places of the cars, times, times of arrival, and the signals: one row of arrays, in whatever order."""
    columns = [_CAR, *(_MICROSECONDS.format(sql.SQL(name)) for name in ("time", "received_at"))]
    aggregates = [sql.SQL("array_agg(({})::double precision)").format(column) for column in columns]
    aggregates += [
        sql.SQL("array_agg(coalesce({}::{type}, 'NaN'))").format(sql.Identifier(name), type=sql.SQL(_kind(name)))
        for name in names
    ]
    statement = sql.SQL("SELECT {} {}").format(sql.SQL(", ").join(aggregates), _OF_DAY)
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader(REAL_ARRAY_OID, RealArrayLoader)
        cursor.adapters.register_loader(DOUBLE_ARRAY_OID, DoubleArrayLoader)
        (row,) = cursor.execute(statement, asked).fetchall()
    return [np.empty(0) if column is None else column.astype(np.float64) for column in row]


def _kind(name: str) -> str:
    """How a signal travels: half of the bytes are enough for what is stored so."""
    kind = CATALOGUE[name].column_type
    return "integer::double precision" if kind == "boolean" else kind if kind == "real" else "double precision"


def _array(
    connection: psycopg.Connection[Any],
    name: str,
    asked: Mapping[str, Any],
    rows: tuple[NDArray[np.intp], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """One array signal at the rows' cars and times, shape (n, k) with k of the longest."""
    statement = sql.SQL(
        "SELECT {}, ({})::bigint, {column} {} AND cardinality({column}) > 0 ORDER BY received_at"
    ).format(_CAR, _MICROSECONDS.format(sql.SQL("time")), _OF_DAY, column=sql.Identifier(name))
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader(REAL_ARRAY_OID, RealArrayLoader)
        sampled = cursor.execute(statement, asked).fetchall()
    places = {key: place for place, key in enumerate(zip(*(part.tolist() for part in rows), strict=True))}
    values = np.full((len(places), max((len(elements) for *_, elements in sampled), default=0)), np.nan)
    for car, at, elements in reversed(sampled):
        row = values[places[car, at]]
        row[:] = np.nan
        row[: len(elements)] = elements
    return values
