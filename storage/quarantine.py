"""What could not be stored as samples or events, with its bytes and the reason.

A row is the same bytes on the same topic for the same reason, however often they come; a payload with several
faults has a row for each. Rows leave by `settle`, once a replay has stored the payload, and by `forget`.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from storage.rows import record_row, transposed
from vehicle.rejection import Rejection, RejectionReason
from vehicle.topics import PREFIX


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
    last_received_at: datetime
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


class RowKey(NamedTuple):
    """What makes a message another row."""

    sha256: bytes
    topic: str
    reason: RejectionReason


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows; what is None does not matter."""

    ids: Sequence[int] | None = None
    reason: RejectionReason | None = None
    vehicle_id: str | None = None


EVERYTHING = Selection()
_SELECTED = (
    "(%s::bigint[] IS NULL OR id = ANY(%s)) AND (%s::text IS NULL OR reason = %s) "
    "AND (%s::text IS NULL OR vehicle_id = %s)"
)


def row_key(message: QuarantinedMessage) -> RowKey:
    """The row that the message is counted in."""
    return RowKey(hashlib.sha256(message.payload).digest(), _storable(message.topic), message.rejection.reason)


def record(connection: psycopg.Connection[Any], messages: Iterable[QuarantinedMessage]) -> int:
    """Keep messages, count those that are there already, and return the bytes of payload that were not."""
    rows: dict[RowKey, list[Any]] = {}
    for message in messages:
        key = row_key(message)
        if key in rows:
            rows[key][-1] += 1
            continue
        rows[key] = [
            *key,
            message.received_at,
            message.vehicle_id and _storable(message.vehicle_id),
            message.boot and _storable(message.boot),
            message.seq,
            _storable(message.rejection.detail),
            _storable(message.content_type),
            message.payload,
            1,
        ]
    if not rows:
        return 0
    # In the order of the key, so that writers do not wait for each other in a circle.
    columns = transposed([rows[key] for key in sorted(rows)], 12)
    row = connection.execute(
        "WITH added AS (INSERT INTO quarantine AS kept (sha256, topic, reason, received_at, last_received_at, "
        "vehicle_id, boot, seq, detail, content_type, payload, count) "
        "SELECT sha256, topic, reason, at, at, vehicle_id, boot, seq, detail, content_type, payload, count "
        "FROM unnest(%s::bytea[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::bigint[], "
        "%s::text[], %s::text[], %b::bytea[], %s::bigint[]) "
        "AS new (sha256, topic, reason, at, vehicle_id, boot, seq, detail, content_type, payload, count) "
        "ON CONFLICT (sha256, topic, reason) DO UPDATE SET count = kept.count + excluded.count, "
        "last_received_at = greatest(kept.last_received_at, excluded.last_received_at) "
        # PostgreSQL: a row that the statement has inserted, not updated, has no xmax.
        "RETURNING CASE WHEN xmax = 0 THEN bytes ELSE 0 END AS fresh) "
        "SELECT coalesce(sum(fresh), 0)::bigint FROM added",
        columns,
    ).fetchone()
    return int(row[0]) if row else 0


def kept(connection: psycopg.Connection[Any], keys: Collection[RowKey]) -> set[RowKey]:
    """Those of the rows that are there."""
    rows = connection.execute(
        "SELECT sha256, topic, reason FROM quarantine JOIN unnest(%s::bytea[], %s::text[], %s::text[]) "
        "AS asked (sha256, topic, reason) USING (sha256, topic, reason)",
        transposed(keys, 3),
    )
    return {RowKey(sha256, topic, RejectionReason(reason)) for sha256, topic, reason in rows}


def size(connection: psycopg.Connection[Any]) -> int:
    """Bytes of payload in quarantine."""
    row = connection.execute("SELECT coalesce(sum(bytes), 0)::bigint FROM quarantine").fetchone()
    return int(row[0]) if row else 0


def entries(
    connection: psycopg.Connection[Any], limit: int = 100, which: Selection = EVERYTHING
) -> list[QuarantineEntry]:
    """The latest of the selected rows, latest first."""
    with connection.cursor(row_factory=record_row(QuarantineEntry)) as cursor:
        return cursor.execute(
            f"SELECT * FROM quarantine WHERE {_SELECTED} ORDER BY id DESC LIMIT %s",  # noqa: S608 - our own text
            [*_arguments(which), limit],
        ).fetchall()


def counts(connection: psycopg.Connection[Any]) -> dict[RejectionReason, int]:
    """How many messages were kept for each reason, repetitions included."""
    rows = connection.execute("SELECT reason, sum(count)::bigint FROM quarantine GROUP BY reason ORDER BY 1")
    return {RejectionReason(reason): count for reason, count in rows}


def messages(connection: psycopg.Connection[Any], which: Selection = EVERYTHING) -> list[int]:
    """The first row of each message with a selected row, in the order of arrival."""
    rows = connection.execute(
        "SELECT min(id) FROM quarantine WHERE (sha256, topic) IN "  # noqa: S608 - our own text
        f"(SELECT sha256, topic FROM quarantine WHERE {_SELECTED}) "
        "GROUP BY sha256, topic ORDER BY min(received_at), min(id)",
        _arguments(which),
    )
    return [first for (first,) in rows]


def hold(connection: psycopg.Connection[Any], ids: Collection[int]) -> list[list[QuarantineEntry]]:
    """Of each message that these rows are of all rows, first row first, for this transaction to change."""
    with connection.cursor(row_factory=record_row(QuarantineEntry)) as cursor:
        rows = cursor.execute(
            "SELECT * FROM quarantine WHERE (sha256, topic) IN "
            "(SELECT sha256, topic FROM quarantine WHERE id = ANY(%s)) ORDER BY id FOR UPDATE",
            [list(ids)],
        ).fetchall()
    found: dict[tuple[bytes, str], list[QuarantineEntry]] = {}
    for row in rows:
        found.setdefault((row.sha256, row.topic), []).append(row)
    return list(found.values())


def says(rows: Sequence[QuarantineEntry], rejections: Sequence[Rejection]) -> bool:
    """Whether a message's rows tell just these rejections."""
    told = {(row.reason, row.detail) for row in rows}
    return told == {(rejection.reason, _storable(rejection.detail)) for rejection in rejections}


def settle(connection: psycopg.Connection[Any], rows: Sequence[QuarantineEntry], left: Sequence[Rejection]) -> None:
    """Put what is left to say against a message in the place of its rows; nothing left: it leaves quarantine.

    The first of the rows keeps its id.
    """
    reasons = {rejection.reason: _storable(rejection.detail) for rejection in left}
    gone = [row.id for row in rows][bool(reasons) :]
    connection.execute("DELETE FROM quarantine WHERE id = ANY(%s)", [gone])
    for i, (reason, detail) in enumerate(reasons.items()):
        if i == 0:
            connection.execute(
                "UPDATE quarantine SET reason = %s, detail = %s WHERE id = %s", [reason, detail, rows[0].id]
            )
        else:
            connection.execute(
                "INSERT INTO quarantine (sha256, topic, reason, detail, received_at, last_received_at, vehicle_id, "
                "boot, seq, content_type, payload, count) SELECT sha256, topic, %s, %s, received_at, "
                "last_received_at, vehicle_id, boot, seq, content_type, payload, count FROM quarantine WHERE id = %s",
                [reason, detail, rows[0].id],
            )


def forget(connection: psycopg.Connection[Any], vehicle_ids: Collection[str]) -> int:
    """Erase what came from vehicles, also on topics of theirs that are not in the grammar; returns the rows."""
    return connection.execute(
        "DELETE FROM quarantine WHERE vehicle_id = ANY(%s) OR topic ^@ ANY(%s)",
        [list(vehicle_ids), [f"{PREFIX}/{vehicle_id}/" for vehicle_id in vehicle_ids]],
    ).rowcount


def _arguments(which: Selection) -> list[Any]:
    ids = None if which.ids is None else list(which.ids)
    return [value for each in (ids, which.reason, which.vehicle_id) for value in (each, each)]


def _storable(text: str) -> str:
    """The text with what PostgreSQL refuses, NUL and lone surrogates, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
