"""The samples, one wide row per vehicle and time, read as arrays; `storage.telemetry_copy` writes them."""

from collections.abc import Sequence
from datetime import datetime
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
    width = max((len(row[1]) for row in rows), default=0)
    values = np.full((len(rows), width), np.nan)
    for target, (_time, elements) in zip(values, rows, strict=True):
        target[: len(elements)] = elements
    return _times(rows), values


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
