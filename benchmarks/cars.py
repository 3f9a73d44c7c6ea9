"""Cars of the size that is promised: the thirty signals that nearly every sample of a real car carries.

The values wander within what a drive shows, at the resolution of their sensors; some are missing, as on a real bus.
What a batch weighs is therefore what our agent sends: MessagePack, `content_type` and the user properties included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vehicle.batch import TelemetryBatch
from vehicle.moment import moment
from vehicle.signals import CATALOGUE, SignalKind
from vehicle.topics import Channel, topic
from vehicle.wire import encode_telemetry

SIGNALS: Final[dict[str, tuple[float, float]]] = {
    "hv_soc_pct": (40, 80),
    "hv_energy_remaining_kwh": (30, 60),
    "hv_voltage_v": (350, 400),
    "hv_current_a": (-250, 80),
    "hv_power_kw": (-90, 30),
    "cell_v_max_v": (3.7, 4.1),
    "cell_v_min_v": (3.68, 4.08),
    "module_temp_max_c": (24, 38),
    "module_temp_min_c": (22, 35),
    "isolation_kohm": (1500, 3000),
    "bms_state": (1, 1),
    "lv_voltage_v": (13.1, 13.9),
    "lv_current_a": (-4, 12),
    "motor_stator_temp_r_c": (40, 95),
    "inverter_temp_r_c": (35, 70),
    "motor_torque_r_nm": (-120, 250),
    "motor_coolant_temp_c": (30, 55),
    "coolant_flow_lpm": (4, 14),
    "coolant_pump_speed_rpm": (1500, 4500),
    "cabin_temp_c": (19, 23),
    "ambient_temp_c": (5, 12),
    "hvac_on": (1, 1),
    "tyre_pressure_fl_kpa": (250, 280),
    "tyre_pressure_fr_kpa": (250, 280),
    "tyre_pressure_rl_kpa": (250, 280),
    "tyre_pressure_rr_kpa": (250, 280),
    "brake_pedal_pct": (0, 40),
    "charge_state": (0, 0),
    "odometer_km": (20_000, 90_000),
    "speed_kmh": (0, 130),
}
"""Every signal of a sample with the range of a drive: battery, drive unit, cooling, cabin, tyres, motion."""
MISSING: Final = 0.02
"""Share of the values that the bus did not bring in time (engineering estimate)."""
SAMPLE_STEP: Final = timedelta(seconds=1)
_WAVE_S: Final = (30.0, 300.0)
"""A signal swings through its range in about so long."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message as a car publishes it."""

    topic: str
    payload: bytes
    vehicle_id: str
    boot: str
    seq: int

    @property
    def user(self) -> dict[str, str]:
        """The user properties."""
        return {"boot": self.boot, "seq": str(self.seq)}


def vehicle_ids(count: int) -> list[str]:
    """The pseudonyms of the cars."""
    return [f"bench-{index:04d}" for index in range(count)]


def boot_of(vehicle_id: str) -> str:
    """The one boot of a car, 16 hex digits."""
    return f"{int(vehicle_id.rsplit('-', 1)[1]) + 1:016x}"


def first_sample_at(present: datetime) -> datetime:
    """When every drive begins: two days ago at six, so that it lies within the late limit and in one chunk."""
    day = (present - timedelta(days=2)).replace(hour=6, minute=0, second=0, microsecond=0)
    return day.astimezone(UTC)


def make_drive(rng: np.random.Generator, samples: int) -> dict[str, NDArray[np.float64]]:
    """The columns of one car's drive, float64 of shape (samples,); NaN: not sampled."""
    elapsed_s = np.arange(samples, dtype=np.float64) * SAMPLE_STEP.total_seconds()
    return {name: _column(name, low, high, elapsed_s, rng) for name, (low, high) in SIGNALS.items()}


def make_batches(
    ids: Sequence[str], samples: int, messages: int, start: datetime, seed: int
) -> Iterator[TelemetryBatch]:
    """Batches of all cars in turn, each car's gapless from seq 1.

    Args:
        ids: Of the cars.
        samples: In each message.
        messages: Of all cars together.
        start: Time of every car's first sample.
        seed: Of the values.
    """
    rounds = -(-messages // len(ids))
    rng = np.random.default_rng(seed)
    drives = [make_drive(rng, rounds * samples) for _ in ids]
    step = np.timedelta64(SAMPLE_STEP)
    zero = np.datetime64(start.replace(tzinfo=None), "us")
    for number in range(messages):
        turn, car = divmod(number, len(ids))
        part = slice(turn * samples, (turn + 1) * samples)
        times = zero + np.arange(part.start, part.stop) * step
        columns: dict[str, NDArray[Any]] = {name: values[part] for name, values in drives[car].items()}
        yield TelemetryBatch(ids[car], boot_of(ids[car]), turn + 1, moment(times[-1]), times, columns)


def publication(batch: TelemetryBatch) -> Publication:
    """The message that our agent makes of a batch."""
    return Publication(
        topic(batch.vehicle_id, Channel.TELEMETRY), encode_telemetry(batch), batch.vehicle_id, batch.boot, batch.seq
    )


def _column(
    name: str, low: float, high: float, elapsed_s: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    signal = CATALOGUE[name]
    if name == "odometer_km":
        values = rng.uniform(low, high) + elapsed_s * 0.015
    else:
        period_s, phase = rng.uniform(*_WAVE_S), rng.uniform(0, 2 * np.pi)
        wave = 0.5 + 0.45 * np.sin(phase + 2 * np.pi * elapsed_s / period_s)
        values = low + (high - low) * (wave + rng.uniform(-0.05, 0.05, len(elapsed_s)))
    if signal.kind in (SignalKind.ENUMERATION, SignalKind.BOOLEAN):
        values = np.round(values)
    values = signal.quantised(values)
    values[rng.random(len(values)) < MISSING] = np.nan
    return values
