"""The ranges of seq that were given up, in the outbox's file, until ingest has heard of them."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from agent.ranges import Range, holes

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS dropped (
    vehicle_id TEXT NOT NULL,
    boot TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
"""
_MOST_RANGES: Final = 1000
"""What one hello can tell of within a packet; the next one tells more."""


class Dropped:
    """The table of disjoint ranges; the caller holds the transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, vehicle_id: str, boot: str, seq: int) -> None:
        """Enter one that is not there yet."""
        longer = self._database.execute(
            "UPDATE dropped SET last = ? WHERE vehicle_id = ? AND boot = ? AND last = ?",
            (seq, vehicle_id, boot, seq - 1),
        )
        if not longer.rowcount:
            self._database.execute("INSERT INTO dropped VALUES (?, ?, ?, ?)", (vehicle_id, boot, seq, seq))

    def add_ranges(self, vehicle_id: str, boot: str, gone: Iterable[Range]) -> int:
        """Enter ranges, but for what is there already; how many seqs that adds."""
        query = "SELECT first, last FROM dropped WHERE vehicle_id = ? AND boot = ? ORDER BY first"
        known = self._database.execute(query, (vehicle_id, boot)).fetchall()
        added = [fresh for first, last in gone for fresh in holes(first, last, known)]
        self._database.executemany(
            "INSERT INTO dropped VALUES (?, ?, ?, ?)", [(vehicle_id, boot, first, last) for first, last in added]
        )
        return sum(last - first + 1 for first, last in added)

    def forget(self, vehicle_id: str, boot: str, heard: Range) -> None:
        """Take out what lies within a range that ingest does not wait for."""
        self._database.execute(
            "DELETE FROM dropped WHERE vehicle_id = ? AND boot = ? AND first >= ? AND last <= ?",
            (vehicle_id, boot, *heard),
        )

    def of_vehicle(self, vehicle_id: str, boot: str) -> list[tuple[str, int, int]]:
        """(boot, first, last) of one vehicle, those of `boot` first; no more than a hello holds."""
        return self._database.execute(
            "SELECT boot, first, last FROM dropped WHERE vehicle_id = ? ORDER BY boot <> ?, boot, first LIMIT ?",
            (vehicle_id, boot, _MOST_RANGES),
        ).fetchall()

    def boots(self) -> list[tuple[str, str]]:
        """Vehicle and boot of everything here."""
        return self._database.execute("SELECT DISTINCT vehicle_id, boot FROM dropped").fetchall()
