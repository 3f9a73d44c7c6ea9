"""What could not be stored as samples or events, with its bytes and the reason."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from storage.rows import record_row
from vehicle.rejection import Rejection, RejectionReason


@dataclass(frozen=True, slots=True)
class QuarantinedMessage:
    """One message as it arrived, and why it was not stored."""

    received_at: datetime
    topic: str
    rejection: Rejection
    payload: bytes
    content_type: str = ""
    vehicle_id: str | None = None
    boot: str | None = None
    seq: int | None = None
    """Vehicle, boot and sequence number as far as topic and user properties tell."""


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """One row: the same bytes on the same topic for the same reason, however often."""

    id: int
    received_at: datetime
    """Of the first."""
    topic: str
    reason: RejectionReason
    detail: str
    payload: bytes
    content_type: str
    sha256: bytes
    count: int
    vehicle_id: str | None = None
    boot: str | None = None
    seq: int | None = None


def record(connection: psycopg.Connection[Any], messages: Iterable[QuarantinedMessage]) -> None:
    """Keep messages; what is there already is counted."""
    rows = [
        (
            hashlib.sha256(message.payload).digest(),
            _storable(message.topic),
            message.rejection.reason,
            message.received_at,
            message.vehicle_id and _storable(message.vehicle_id),
            message.boot and _storable(message.boot),
            message.seq,
            _storable(message.rejection.detail),
            message.payload,
            _storable(message.content_type),
        )
        for message in messages
    ]
    # In the order of the key: what stands behind it may be None, which has no order.
    rows.sort(key=lambda row: row[:3])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO quarantine AS kept (sha256, topic, reason, received_at, vehicle_id, boot, seq, "
            "detail, payload, content_type) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (sha256, topic, reason) DO UPDATE SET count = kept.count + 1",
            rows,
        )


def entries(connection: psycopg.Connection[Any], limit: int = 100) -> list[QuarantineEntry]:
    """The latest rows first."""
    with connection.cursor(row_factory=record_row(QuarantineEntry)) as cursor:
        return cursor.execute("SELECT * FROM quarantine ORDER BY id DESC LIMIT %s", [limit]).fetchall()


def counts(connection: psycopg.Connection[Any]) -> dict[RejectionReason, int]:
    """How many messages were kept for each reason, repetitions included."""
    rows = connection.execute("SELECT reason, sum(count)::bigint FROM quarantine GROUP BY reason ORDER BY 1")
    return {RejectionReason(reason): count for reason, count in rows}


def _storable(text: str) -> str:
    """The text with what PostgreSQL refuses, NUL and lone surrogates, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
