"""What each boot has safe, kept in memory by the shard's only writer, and told to the vehicles as stored-acks."""

import bisect
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

import psycopg

from storage.ledger import BatchKey, stored_ranges
from vehicle.batch import StoredAck

MOST_BOOTS: Final = 50_000
"""Boots kept in memory; one that is forgotten is read from the ledger again."""
MOST_GAPS: Final = 100
"""Gaps that one stored-ack tells; with more of them, it ends before the next."""


class BootRecord:
    """The sequence numbers of one boot that are safe: all up to `through` but the gaps."""

    def __init__(self, stored: StoredAck) -> None:
        self._boot = stored.boot
        self._through = stored.through
        self._gaps = sorted(stored.missing)

    def add(self, seq: int) -> None:
        """Take note that `seq` is safe."""
        if seq > self._through:
            if seq > self._through + 1:
                self._gaps.append((self._through + 1, seq - 1))
            self._through = seq
            return
        place = bisect.bisect_right(self._gaps, (seq, self._through)) - 1
        if place >= 0:
            first, last = self._gaps[place]
            if first <= seq <= last:
                halves = ((first, seq - 1), (seq + 1, last))
                self._gaps[place : place + 1] = [half for half in halves if half[0] <= half[1]]

    def holds(self, seq: int) -> bool:
        """Whether `seq` is safe."""
        if seq > self._through:
            return False
        place = bisect.bisect_right(self._gaps, (seq, self._through)) - 1
        return place < 0 or seq > self._gaps[place][1]

    def stored_ack(self) -> StoredAck:
        """What the vehicle is told."""
        if len(self._gaps) <= MOST_GAPS:
            return StoredAck(self._boot, self._through, tuple(self._gaps))
        return StoredAck(self._boot, self._gaps[MOST_GAPS][0] - 1, tuple(self._gaps[:MOST_GAPS]))


class AckBook:
    """The records of the boots that were heard of lately."""

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, str], BootRecord] = OrderedDict()

    def add(self, keys: Iterable[BatchKey]) -> None:
        """Take note of batches whose transaction has been committed."""
        for vehicle_id, boot, seq in keys:
            record = self._records.get((vehicle_id, boot))
            if record is not None:
                record.add(seq)

    def forget(self, boots: Iterable[tuple[str, str]]) -> None:
        """Read these boots from the ledger again when they are next asked for."""
        for boot in boots:
            self._records.pop(boot, None)

    def safe(self, connection: psycopg.Connection[Any], keys: Iterable[BatchKey]) -> list[BatchKey]:
        """Those of `keys` that are in the ledger, without asking it but for boots that are not in memory."""
        return [key for key in keys if self._record(connection, key.vehicle_id, key.boot).holds(key.seq)]

    def stored_acks(
        self, connection: psycopg.Connection[Any], boots: Iterable[tuple[str, str]]
    ) -> list[tuple[str, StoredAck]]:
        """What to tell of these boots, each with its vehicle; one not in memory is read from the ledger."""
        acks = []
        for vehicle_id, boot in boots:
            acks.append((vehicle_id, self._record(connection, vehicle_id, boot).stored_ack()))
            self._records.move_to_end((vehicle_id, boot))
        while len(self._records) > MOST_BOOTS:
            self._records.popitem(last=False)
        return acks

    def _record(self, connection: psycopg.Connection[Any], vehicle_id: str, boot: str) -> BootRecord:
        record = self._records.get((vehicle_id, boot))
        if record is None:
            record = BootRecord(stored_ranges(connection, vehicle_id, boot))
            self._records[vehicle_id, boot] = record
        return record
