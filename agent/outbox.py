"""What a sender has not yet been told is stored: an SQLite file that outlives the process and the power.

A message is appended before it is published and deleted when the stored-ack covers it. One file may serve
several vehicles. Every method may be called from any thread.

Errors: `SequenceError` for a batch that leaves a gap in its boot's sequence; SQLite's own if the disk fails.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from agent.draft import Draft, Found, Kept, Removed
from agent.dropped import SCHEMA as DROPPED_SCHEMA
from agent.dropped import Dropped
from agent.ranges import Range, asked_for, covered, holes
from vehicle.batch import StoredAck
from vehicle.command import SendAgain
from vehicle.topics import Channel

DEFAULT_MAX_BYTES: Final = 200 * 1024 * 1024

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    vehicle_id TEXT NOT NULL,
    boot TEXT NOT NULL,
    seq INTEGER NOT NULL,
    channel TEXT NOT NULL,
    content_type TEXT NOT NULL,
    samples INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (vehicle_id, boot, seq)
);
CREATE INDEX IF NOT EXISTS message_channel ON message (channel, position);
CREATE TABLE IF NOT EXISTS sequence (
    vehicle_id TEXT NOT NULL,
    boot TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (vehicle_id, boot)
) WITHOUT ROWID;
"""
_COLUMNS: Final = "position, vehicle_id, boot, seq, channel, content_type, samples, payload"


class SequenceError(Exception):
    """A batch's seq is not the next of its boot."""


class Outbox:
    """The messages of one or more vehicles that wait for their stored-ack."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
    ) -> None:
        """Open or make the file.

        Args:
            path: The file; two more with suffixes appear beside it.
            max_bytes: Payloads kept; beyond it the oldest telemetry goes, never events.
            synchronous: FULL survives a loss of power; NORMAL only the death of the process.
        """
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(f"PRAGMA synchronous={synchronous}")
        self._database.executescript(_SCHEMA + DROPPED_SCHEMA)
        self._dropped = Dropped(self._database)
        self.appends = 0
        """How often messages have been appended: as long as it stays, there is nothing new to read."""
        self._bytes, self._count = self._database.execute(
            "SELECT coalesce(sum(length(payload)), 0), count(*) FROM message"
        ).fetchone()

    def __len__(self) -> int:
        """How many messages wait."""
        return int(self._count)

    @property
    def size_bytes(self) -> int:
        """How many bytes of payload wait."""
        return int(self._bytes)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def next_seq(self, vehicle_id: str, boot: str) -> int:
        """The seq that the boot's next batch must carry; 1 for a new boot."""
        with self._lock:
            return self._last_seq(vehicle_id, boot) + 1

    def append(self, drafts: Iterable[Draft]) -> tuple[Removed, ...]:
        """Keep messages, all or none, giving up the oldest telemetry if there is no room; what was given up.

        A message whose seq the boot has already used counts as the same one, and is not kept twice.

        Raises:
            SequenceError: if a seq is neither used nor the next of its boot.
        """
        with self._transaction():
            for draft in drafts:
                self._append_one(draft)
            removed = self._make_room()
        self.appends += 1
        return removed

    def read(self, channel: Channel, after: int, limit: int) -> list[Kept]:
        """Up to `limit` messages of a channel behind position `after`, in the order of appending."""
        query = f"SELECT {_COLUMNS} FROM message WHERE channel = ? AND position > ? ORDER BY position LIMIT ?"  # noqa: S608 - constant text
        with self._lock:
            return [_kept(row) for row in self._database.execute(query, (channel, after, limit))]

    def get(self, position: int) -> Kept | None:
        """The message at `position`, unless it has left."""
        query = f"SELECT {_COLUMNS} FROM message WHERE position = ?"  # noqa: S608 - constant text
        with self._lock:
            row = self._database.execute(query, (position,)).fetchone()
        return None if row is None else _kept(row)

    def remove_stored(self, acks: Sequence[tuple[str, StoredAck]]) -> list[Removed]:
        """Delete what the stored-acks of these vehicles cover."""
        with self._transaction():
            return [removed for vehicle_id, ack in acks for removed in self._remove_stored(vehicle_id, ack)]

    def remove(self, positions: Collection[int]) -> list[Removed]:
        """Delete messages that are confirmed."""
        if not positions:
            return []
        with self._transaction():
            rows = [row for position in positions for row in self._delete("position = ?", (position,))]
        return [Removed(row[0], row[4]) for row in rows]

    def look_for(self, vehicle_id: str, command: SendAgain) -> Found:
        """Find what is asked for; what is not here, but was, counts as dropped from now on.

        What this outbox has never held, a boot or a seq, is nothing that it could speak for.
        """
        positions: list[int] = []
        gone: list[Range] = []
        with self._transaction():
            for first, last in asked_for(command, self._last_seq(vehicle_id, command.boot)):
                rows = self._database.execute(
                    "SELECT seq, position FROM message WHERE vehicle_id = ? AND boot = ? AND seq BETWEEN ? AND ?"
                    " ORDER BY seq",
                    (vehicle_id, command.boot, first, last),
                ).fetchall()
                positions += [position for _, position in rows]
                gone += holes(first, last, ((seq, seq) for seq, _ in rows))
            lost = self._dropped.add_ranges(vehicle_id, command.boot, gone)
        return Found(tuple(positions), gone=bool(gone), lost=lost)

    def give_up(self, position: int) -> tuple[Removed, ...]:
        """Delete a message that can never be delivered, and remember that it was dropped."""
        with self._transaction():
            return self._drop("position = ?", (position,))

    def boots(self) -> list[tuple[str, str]]:
        """Vehicle and boot of everything that waits or was dropped, in the order of appending."""
        query = """
            SELECT vehicle_id, boot FROM (
                SELECT vehicle_id, boot, min(position) AS place FROM message GROUP BY 1, 2
                UNION ALL SELECT vehicle_id, boot, 0 FROM dropped
            ) GROUP BY vehicle_id, boot ORDER BY min(place), vehicle_id, boot
        """
        with self._lock:
            return self._database.execute(query).fetchall()

    def dropped_boots(self) -> list[tuple[str, str]]:
        """Vehicle and boot of everything that was given up and ingest may still wait for."""
        with self._lock:
            return self._dropped.boots()

    def dropped(self, vehicle_id: str, boot: str = "") -> tuple[tuple[str, int, int], ...]:
        """(boot, first seq, last seq) of what was given up and ingest may still wait for, those of `boot` first.

        No more than a hello holds.
        """
        with self._lock:
            return tuple(self._dropped.of_vehicle(vehicle_id, boot))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            counts = self._bytes, self._count
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                self._bytes, self._count = counts
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _last_seq(self, vehicle_id: str, boot: str) -> int:
        query = "SELECT last_seq FROM sequence WHERE vehicle_id = ? AND boot = ?"
        row = self._database.execute(query, (vehicle_id, boot)).fetchone()
        return 0 if row is None else int(row[0])

    def _append_one(self, draft: Draft) -> None:
        last = self._last_seq(draft.vehicle_id, draft.boot)
        if draft.seq > last + 1:
            raise SequenceError(f"seq {draft.seq} of boot {draft.boot} leaves a gap after {last}")
        if draft.seq == last + 1:
            self._database.execute(
                "INSERT OR REPLACE INTO sequence VALUES (?, ?, ?)", (draft.vehicle_id, draft.boot, draft.seq)
            )
        inserted = self._database.execute(
            "INSERT OR IGNORE INTO message (vehicle_id, boot, seq, channel, content_type, samples, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(draft.vehicle_id, draft.boot, draft.seq),
                *(draft.channel, draft.content_type, draft.samples, draft.payload),
            ),
        )
        if inserted.rowcount:
            self._bytes += len(draft.payload)
            self._count += 1

    def _make_room(self) -> tuple[Removed, ...]:
        removed: list[Removed] = []
        while self._bytes > self._max_bytes:
            oldest = self._database.execute(
                "SELECT position FROM message WHERE channel = ? ORDER BY position LIMIT 1",
                (Channel.TELEMETRY,),
            ).fetchone()
            if oldest is None:
                break
            removed += self._drop("position = ?", oldest)
        return tuple(removed)

    def _drop(self, condition: str, values: tuple[int, ...]) -> tuple[Removed, ...]:
        rows = self._delete(condition, values)
        for _, vehicle_id, boot, seq, _, _ in rows:
            self._dropped.add(vehicle_id, boot, seq)
        return tuple(Removed(row[0], row[4]) for row in rows)

    def _remove_stored(self, vehicle_id: str, ack: StoredAck) -> list[Removed]:
        condition = "vehicle_id = ? AND boot = ? AND seq BETWEEN ? AND ?"
        removed = []
        for first, last in covered(ack):
            rows = self._delete(condition, (vehicle_id, ack.boot, first, last))
            removed += [Removed(row[0], row[4]) for row in rows]
            self._dropped.forget(vehicle_id, ack.boot, (first, last))
        return removed

    def _delete(self, condition: str, values: tuple[int | str, ...]) -> list[tuple[int, str, str, int, int, int]]:
        rows = self._database.execute(
            f"DELETE FROM message WHERE {condition}"  # noqa: S608 - the conditions above
            " RETURNING position, vehicle_id, boot, seq, samples, length(payload)",
            values,
        ).fetchall()
        self._count -= len(rows)
        self._bytes -= sum(row[5] for row in rows)
        return rows


def _kept(row: tuple[int, str, str, int, str, str, int, bytes]) -> Kept:
    position, vehicle_id, boot, seq, channel, content_type, samples, payload = row
    return Kept(position, Draft(vehicle_id, boot, seq, Channel(channel), content_type, samples, payload))
