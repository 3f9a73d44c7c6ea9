"""Samples and events of one car into the database, as ingest stores a batch."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from storage import events, ledger
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from storage.telemetry_copy import SampleTable, copy_table
from vehicle.batch import Event, EventBatch
from vehicle.moment import moment


def store_batch(
    connection: psycopg.Connection[Any],
    key: BatchKey,
    times: NDArray[np.datetime64],
    columns: Mapping[str, NDArray[np.float64]],
    sent_at: datetime,
    *,
    received_at: datetime | None = None,
) -> None:
    """Store one batch with its ledger entry and commit; it arrived when it was sent, unless something else is said."""
    received_at = received_at or sent_at
    with connection.transaction():
        table = SampleTable([key.vehicle_id], np.zeros(len(times), np.intp), times, dict(columns))
        copy_table(connection, table, received_at)
        entry = LedgerEntry(
            key=key,
            kind=BatchKind.TELEMETRY,
            received_at=received_at,
            sha256=hashlib.sha256(repr(key).encode()).digest(),
            rows=len(times),
            first_at=moment(times[0]),
            last_at=moment(times[-1]),
            sent_at=sent_at,
        )
        ledger.record(connection, [entry])


def store_events(
    connection: psycopg.Connection[Any], key: BatchKey, happened: Sequence[Event], sent_at: datetime
) -> None:
    """Store one batch of events with its ledger entry and commit."""
    with connection.transaction():
        events.record(connection, [EventBatch(*key, sent_at, tuple(happened))], sent_at)
        times = [event.at for event in happened]
        digest = hashlib.sha256(repr(key).encode()).digest()
        entry = LedgerEntry(key, BatchKind.EVENT, sent_at, digest, len(times), min(times), max(times), sent_at)
        ledger.record(connection, [entry])
