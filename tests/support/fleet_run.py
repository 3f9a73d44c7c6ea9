"""A small fleet that publishes through an agent, and the comparison of what was sent with what is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from agent.client import Agent
from agent.outbox import Outbox
from storage.vehicles import register
from vehicle.batch import TelemetryBatch
from vehicle.moment import moment
from vehicle.signals import CATALOGUE
from vehicle.vehicle import VehicleRecord

START = np.datetime64("2026-09-01", "us")
SAMPLES = 5
SCALARS = ("hv_soc_pct", "hv_current_a", "odometer_km", "hvil_ok", "charge_state", "dtc_count")
COMPARED = (*SCALARS, "cell_voltages_v")


def a_fleet(vehicles: int, batches_each: int, boot: str = "00000000000000aa") -> list[TelemetryBatch]:
    """Batches of several cars in turn, full of values that no two samples share, some of them missing."""
    rng = np.random.default_rng(7)
    return [
        a_batch_of(f"car-{vehicle}", boot, seq, rng)
        for seq in range(1, batches_each + 1)
        for vehicle in range(vehicles)
    ]


def a_batch_of(vehicle_id: str, boot: str, seq: int, rng: np.random.Generator) -> TelemetryBatch:
    """Five samples, a second apart."""
    times = START + (np.arange(SAMPLES) + seq * SAMPLES) * np.timedelta64(1_000_000, "us")
    columns: dict[str, Any] = {}
    for name in SCALARS:
        signal = CATALOGUE[name]
        values = signal.quantised(rng.uniform(signal.minimum, signal.maximum, SAMPLES))
        columns[name] = np.where(rng.random(SAMPLES) < 0.2, np.nan, values)
    columns["cell_voltages_v"] = CATALOGUE["cell_voltages_v"].quantised(rng.uniform(3, 4, (SAMPLES, 3)))
    return TelemetryBatch(vehicle_id, boot, seq, moment(times[-1]), times, columns)


def register_fleet(database_url: str, batches: list[TelemetryBatch]) -> None:
    """Make the cars known."""
    with psycopg.connect(database_url) as connection:
        for vehicle_id in {batch.vehicle_id for batch in batches}:
            register(connection, VehicleRecord(vehicle_id, moment(START)))


@contextmanager
def sending(broker: tuple[str, int], outbox_file: Path, **changes: Any) -> Iterator[Agent]:
    """An agent that loses patience soon."""
    settings: dict[str, Any] = {
        "client_id": "fleet",
        "rng": np.random.default_rng(0),
        "resend_after": timedelta(seconds=2),
        "longest_delay": timedelta(seconds=0.3),
    }
    outbox = Outbox(outbox_file, synchronous="NORMAL")
    try:
        with Agent(outbox, *broker, **(settings | changes)) as agent:
            yield agent
    finally:
        outbox.close()


def sent_rows(batches: list[TelemetryBatch]) -> list[tuple[Any, ...]]:
    """Every sample as its row must be."""
    return sorted((row for batch in batches for row in sample_rows(batch)), key=lambda row: row[:2])


def sample_rows(batch: TelemetryBatch) -> list[tuple[Any, ...]]:
    """Vehicle, time and the compared columns of each sample as its row must be; a column not sent is null."""
    return [
        (
            batch.vehicle_id,
            moment(time),
            *(_held(name, batch.columns[name][i]) if name in batch.columns else None for name in COMPARED),
        )
        for i, time in enumerate(batch.times)
    ]


def stored_rows(database_url: str) -> list[tuple[Any, ...]]:
    """Every row of telemetry."""
    with psycopg.connect(database_url) as connection, connection.cursor(binary=True) as cursor:
        columns = ", ".join(COMPARED)
        query = f"SELECT vehicle_id, time, {columns} FROM telemetry ORDER BY vehicle_id, time"  # noqa: S608 - our own names
        return list(cursor.execute(query).fetchall())


def _held(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [None if np.isnan(element) else float(np.float32(element)) for element in value]
    if np.isnan(value):
        return None
    match CATALOGUE[name].column_type:
        case "boolean":
            return bool(value)
        case "smallint" | "integer":
            return int(value)
        case "double precision":
            return float(value)
    return float(np.float32(value))
