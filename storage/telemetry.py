"""The samples, one wide row per vehicle and time, read as arrays; `storage.telemetry_copy` writes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
import pandas as pd
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from storage.arrays import REAL_ARRAY_OID, RealArrayLoader
from vehicle.signals import CATALOGUE, SignalKind

_MICROSECONDS: Final = sql.SQL("(extract(epoch FROM time) * 1000000)::bigint")


def read_window(
    connection: psycopg.Connection[Any],
    vehicle_id: str,
    start: datetime,
    end: datetime,
    signals: Sequence[str],
    *,
    received_by: datetime | None = None,
) -> pd.DataFrame:
    """The samples of one vehicle in [start, end): one float64 column per signal over UTC times, in order.

    NaN is not sampled; enumerations are the index of their value, booleans 0 and 1. For arrays: `read_arrays`.
    With `received_by` only what had arrived by then.
    """
    for name in signals:
        if CATALOGUE[name].kind is SignalKind.ARRAY:
            raise ValueError(f"{name} is an array: read_arrays reads it")
    columns = [sql.Identifier(name) for name in signals]
    rows = _fetch(connection, columns, _arrived(received_by), (vehicle_id, start, end))
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), len(signals))
    index = pd.DatetimeIndex(_times(rows), name="time").tz_localize("UTC")
    return pd.DataFrame(values, index=index, columns=list(signals))


def read_arrays(
    connection: psycopg.Connection[Any],
    vehicle_id: str,
    start: datetime,
    end: datetime,
    signal: str,
    *,
    received_by: datetime | None = None,
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """The samples of one array signal in [start, end): datetime64[us] of shape (n,), float64 of shape (n, k).

    Times at which it was not sampled are left out; NaN is an element that was not, or that a row lacks beside
    the longest. With `received_by` only what had arrived by then.
    """
    if CATALOGUE[signal].kind is not SignalKind.ARRAY:
        raise ValueError(f"{signal} is not an array: read_window reads it")
    column = sql.Identifier(signal)
    sampled = sql.SQL("cardinality({}) > 0 AND {}").format(column, _arrived(received_by))
    rows = _fetch(connection, [column], sampled, (vehicle_id, start, end))
    return _times(rows), _matrix([row[1] for row in rows])


def read_since(
    connection: psycopg.Connection[Any], after: Mapping[str, datetime], signals: Sequence[str]
) -> dict[str, tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]]:
    """The samples of several vehicles, each after its own time; vehicles without any are left out.

    By vehicle the times, microseconds since 1970 of shape (n,), increasing, and by signal the values, shape (n,) or (n,
    k) of arrays, NaN: not sampled. Of two samples of one time it is the one that came first.
    """
    if not after:
        return {}
    columns = sql.SQL(", ").join(map(sql.Identifier, signals))
    statement = sql.SQL(
        "SELECT asked.vehicle_id, rows.* FROM unnest(%s::text[], %s::timestamptz[]) AS asked (vehicle_id, after) "
        "CROSS JOIN LATERAL (SELECT DISTINCT ON (time) {} FROM telemetry WHERE vehicle_id = asked.vehicle_id "
        "AND time > asked.after AND time > %s ORDER BY time, received_at) AS rows"
    ).format(sql.SQL(", ").join([_MICROSECONDS, columns]))
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader(REAL_ARRAY_OID, RealArrayLoader)
        found = cursor.execute(statement, [list(after), list(after.values()), min(after.values())]).fetchall()
    by_vehicle = {vehicle_id: list(rows) for vehicle_id, rows in groupby(found, key=itemgetter(0))}
    return {vehicle_id: _columns(rows, signals) for vehicle_id, rows in by_vehicle.items()}


def _columns(
    rows: Sequence[tuple[Any, ...]], signals: Sequence[str]
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    times = np.array([row[1] for row in rows], dtype=np.int64)
    columns = {}
    for place, name in enumerate(signals, start=2):
        values = [row[place] for row in rows]
        if CATALOGUE[name].kind is SignalKind.ARRAY:
            columns[name] = _matrix(values)
        else:
            columns[name] = np.array(values, dtype=np.float64)
    return times, columns


def _matrix(rows: Sequence[Sequence[float] | None]) -> NDArray[np.float64]:
    """Rows of a length, the short and the missing ones filled up with NaN."""
    values = np.full((len(rows), max((len(row) for row in rows if row is not None), default=0)), np.nan)
    for target, elements in zip(values, rows, strict=True):
        if elements is not None:
            target[: len(elements)] = elements
    return values


def count(connection: psycopg.Connection[Any], vehicle_id: str, start: datetime, end: datetime) -> int:
    """How many samples of one vehicle there are in [start, end)."""
    statement = "SELECT count(*) FROM telemetry WHERE vehicle_id = %s AND time >= %s AND time < %s"
    ((samples,),) = connection.execute(statement, (vehicle_id, start, end)).fetchall()
    return int(samples)


def _arrived(by: datetime | None) -> sql.Composable:
    return sql.SQL("true") if by is None else sql.SQL("received_at <= {}").format(by)


def _fetch(
    connection: psycopg.Connection[Any],
    columns: Sequence[sql.Identifier],
    condition: sql.Composable,
    window: tuple[str, datetime, datetime],
) -> list[tuple[Any, ...]]:
    statement = sql.SQL(
        "SELECT {} FROM telemetry WHERE vehicle_id = %s AND time >= %s AND time < %s AND {} ORDER BY time, received_at"
    ).format(sql.SQL(", ").join([_MICROSECONDS, *columns]), condition)
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader(REAL_ARRAY_OID, RealArrayLoader)
        return cursor.execute(statement, window).fetchall()


def _times(rows: Sequence[tuple[Any, ...]]) -> NDArray[np.datetime64]:
    return np.array([row[0] for row in rows], dtype=np.int64).view("datetime64[us]")
