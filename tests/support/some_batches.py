"""Builders of batches and messages as a car would send them."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from agent.connection import Message
from vehicle.batch import TelemetryBatch
from vehicle.codec import MESSAGEPACK
from vehicle.topics import Channel, topic
from vehicle.wire import encode_telemetry

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
BOOT = "00000000000000aa"


def a_batch(
    columns: dict[str, Any] | None = None,
    *,
    seconds: list[int] | None = None,
    vehicle_id: str = "car-1",
    boot: str = BOOT,
    seq: int = 1,
    sent_at: datetime = NOW,
    extra: dict[str, list[Any]] | None = None,
) -> TelemetryBatch:
    """Samples at `seconds` from NOW, by default one a second up to it."""
    columns = {"hv_soc_pct": [60.5, 60.0]} if columns is None else columns
    values = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    count = len(next(iter(values.values()))) if values else 1
    offsets = np.arange(1 - count, 1) if seconds is None else np.array(seconds)
    times = np.datetime64(NOW.replace(tzinfo=None), "us") + offsets * np.timedelta64(1, "s")
    return TelemetryBatch(vehicle_id, boot, seq, sent_at, times, values, extra or {})


def a_message(batch: TelemetryBatch | None = None, **changes: Any) -> Message:
    """The batch as the broker delivers it, with the parts of the message that a test wants otherwise."""
    batch = batch or a_batch()
    parts: dict[str, Any] = {
        "topic": topic(batch.vehicle_id, Channel.TELEMETRY),
        "payload": encode_telemetry(batch),
        "qos": 1,
        "packet_id": batch.seq % 65_535 + 1,
        "content_type": MESSAGEPACK,
        "user": {"boot": batch.boot, "seq": str(batch.seq)},
    }
    return Message(**(parts | changes))
