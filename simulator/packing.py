"""Samples and events to batches: as many samples in a publish as its payload may carry, and never more than fifty."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vehicle.batch import Event, EventBatch, TelemetryBatch
from vehicle.codec import MAX_PAYLOAD_BYTES
from vehicle.moment import moment

Batch = TelemetryBatch | EventBatch

SAMPLES_PER_BATCH = 50
"""One MQTT message costs paho about 140 us of CPU, so messages carry many samples."""
_BYTES_PER_VALUE = 9
"""MessagePack's float64 with its type byte."""
_BYTES_FOR_NAMES = 4096


def pack(
    vehicle_id: str,
    boot: str,
    first_seq: int,
    times: NDArray[np.datetime64],
    columns: Mapping[str, NDArray[Any]],
    *,
    events: Sequence[Event] = (),
) -> Iterator[Batch]:
    """Cut what one car has seen into batches with consecutive sequence numbers, each sent at its last sample's time.

    Args:
        vehicle_id: the pseudonym.
        boot: the sender's boot, 16 hex digits.
        first_seq: sequence number of the first batch.
        times: datetime64[us], shape (n,), strictly increasing.
        columns: per signal float64, shape (n,) or (n, k); NaN is not sampled.
        events: in order of time; each follows the samples up to its own time.
    """
    width = sum(values.shape[1] if values.ndim > 1 else 1 for values in columns.values())
    fitting = (MAX_PAYLOAD_BYTES - _BYTES_FOR_NAMES) // (_BYTES_PER_VALUE * max(width, 1))
    step = max(1, min(SAMPLES_PER_BATCH, fitting))
    seq, waiting = first_seq, list(events)
    for start in range(0, len(times), step):
        part = slice(start, start + step)
        sampled = {name: values[part] for name, values in columns.items() if not np.isnan(values[part]).all()}
        sent_at = moment(times[part][-1])
        yield TelemetryBatch(vehicle_id, boot, seq, sent_at, times[part], sampled)
        seq += 1
        due = [event for event in waiting if event.at <= sent_at]
        if due:
            yield EventBatch(vehicle_id, boot, seq, sent_at, tuple(due))
            seq += 1
            waiting = waiting[len(due) :]
    if waiting:
        yield EventBatch(vehicle_id, boot, seq, waiting[-1].at, tuple(waiting))
