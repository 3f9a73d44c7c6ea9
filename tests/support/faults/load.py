"""The standard load: what a fleet sends, as a pure function of the seed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from tests.support.fleet_run import SAMPLES, SCALARS, START
from vehicle.batch import Event, EventBatch, EventKind, TelemetryBatch
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.moment import moment
from vehicle.signals import CATALOGUE

Batch = TelemetryBatch | EventBatch

VEHICLES: Final = 50
EVENTS_EVERY: Final = 10
"""Each car's tenth message holds events."""
_POWERED: Final = timedelta(hours=6)
"""From one power-up to the next: longer than the samples of any one of them."""


def vehicle_id(vehicle: int) -> str:
    """The name of one car of the fleet."""
    return f"car-{vehicle:02}"


def boot_of(seed: int, power_up: int) -> str:
    """The name of a car's boot: new at every power-up, the same in every run of a seed."""
    return f"{seed:08x}{power_up:08x}"


def standard_load(
    seed: int, messages: int, *, vehicles: int = VEHICLES, power_up: int = 1, first_seq: int = 1
) -> list[Batch]:
    """So many messages of cars that take turns, each car's numbered from `first_seq` on."""
    return [a_message(seed, number % vehicles, power_up, first_seq + number // vehicles) for number in range(messages)]


def in_bursts(batches: list[Batch], bursts: int) -> Iterator[list[Batch]]:
    """The same messages in parts of about the same size."""
    for part in range(bursts):
        yield batches[len(batches) * part // bursts : len(batches) * (part + 1) // bursts]


def a_message(seed: int, vehicle: int, power_up: int, seq: int) -> Batch:
    """One message: no two samples of a car share a time, hardly any two a value, and some values are missing."""
    rng = np.random.default_rng([seed, vehicle, power_up, seq])
    first = START + np.timedelta64(power_up * _POWERED) + np.timedelta64(seq * SAMPLES, "s")
    times = first + np.arange(SAMPLES) * np.timedelta64(1_000_000, "us")
    sent_at = moment(times[-1])
    boot = boot_of(seed, power_up)
    if seq % EVENTS_EVERY == 0:
        return EventBatch(vehicle_id(vehicle), boot, seq, sent_at, tuple(_events(sent_at, rng)))
    return TelemetryBatch(vehicle_id(vehicle), boot, seq, sent_at, times, _columns(rng))


def _columns(rng: np.random.Generator) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in SCALARS:
        signal = CATALOGUE[name]
        values = signal.quantised(rng.uniform(signal.minimum, signal.maximum, SAMPLES))
        columns[name] = np.where(rng.random(SAMPLES) < 0.2, np.nan, values)
    columns["cell_voltages_v"] = CATALOGUE["cell_voltages_v"].quantised(rng.uniform(3, 4, (SAMPLES, 3)))
    return columns


def _events(at: datetime, rng: np.random.Generator) -> Iterator[Event]:
    for _ in range(2):
        code = DiagnosticTroubleCode(f"P0A{rng.integers(256):02X}", DtcStatus(int(rng.integers(256))))
        yield Event(at, EventKind.TROUBLE_CODE, code, {"odometer_km": float(rng.integers(200_000))})
