"""Signals of one vehicle over a span of any length, thinned where the samples are; and what it showed last."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from vehicle.moment import instant

STRETCHES: Final = 200
"""Each gives two points: more than enough for a chart."""
LATEST_SAMPLES: Final = 2000
"""How far back, in samples, the latest value of a signal is looked for."""


def read_envelope(
    connection: psycopg.Connection[Any],
    vehicle_id: str,
    start: datetime,
    end: datetime,
    signals: Sequence[str],
) -> dict[str, tuple[NDArray[np.datetime64], NDArray[np.float64]]]:
    """For each numeric signal the lowest and the highest value of every stretch of [start, end), in order of time.

    Times are datetime64[us]; a stretch without a sample is left out, so that holes stay holes.
    """
    width = (end - start) / STRETCHES
    columns = sql.SQL(", ").join(sql.SQL("min({0}), max({0})").format(sql.Identifier(signal)) for signal in signals)
    statement = sql.SQL(
        "SELECT floor(extract(epoch FROM time - %(start)s) / %(width_s)s)::bigint AS stretch, {columns} "
        "FROM telemetry WHERE vehicle_id = %(vehicle_id)s AND time >= %(start)s AND time < %(end)s "
        "GROUP BY stretch ORDER BY stretch"
    ).format(columns=columns)
    rows = connection.execute(
        statement,
        {"vehicle_id": vehicle_id, "start": start, "end": end, "width_s": width.total_seconds()},
    ).fetchall()
    values = np.array(rows, dtype=np.float64).reshape(len(rows), 1 + 2 * len(signals))
    width_us = width / timedelta(microseconds=1)
    quarters = values[:, :1] * width_us + width_us * np.array([0.25, 0.75])
    times = instant(start) + quarters.ravel().astype(np.int64).astype("timedelta64[us]")
    return {signal: (times, values[:, 1 + 2 * index : 3 + 2 * index].ravel()) for index, signal in enumerate(signals)}


def latest_values(
    connection: psycopg.Connection[Any], vehicle_id: str, signals: Sequence[str]
) -> dict[str, tuple[datetime, float]]:
    """For each numeric signal when it was last sampled and what it showed; signals without a value are left out."""
    columns = sql.SQL(", ").join(map(sql.Identifier, signals))
    statement = sql.SQL(
        "SELECT time, {columns} FROM telemetry WHERE vehicle_id = %s ORDER BY time DESC LIMIT %s"
    ).format(columns=columns)
    latest: dict[str, tuple[datetime, float]] = {}
    for time, *values in connection.execute(statement, [vehicle_id, LATEST_SAMPLES]):
        for signal, value in zip(signals, values, strict=True):
            if value is not None and signal not in latest:
                latest[signal] = (time, float(value))
        if len(latest) == len(signals):
            break
    return latest
