"""One transaction of a replay: the messages that pass leave quarantine for the tables, the others stay."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import psycopg

from ingest.flush import Plan, Refusal, latest_sent_at, make_plan, sort_out
from ingest.incoming import Incoming
from ingest.rebuilt import marked
from ingest.registry import UNKNOWN
from ingest.validation import TimeLimits
from ingest.writer import record_dropped
from storage import events, ledger, quarantine, replacement, turns, vehicles
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from storage.quarantine import QuarantineEntry
from storage.replacement import StoredBatch
from storage.telemetry_copy import copy_table
from vehicle.batch import Hello, TelemetryBatch
from vehicle.rejection import Rejection, RejectionReason


@dataclass(slots=True)
class Replayed:
    """What has become of the messages."""

    stored: int = 0
    """Messages of which all is in the tables now; they have left quarantine."""
    in_part: int = 0
    """Messages of which more is in the tables than before; their payloads stay."""
    kept: Counter[RejectionReason] = field(default_factory=Counter)
    """Messages left as they were, by the first reason of today."""
    foreign: int = 0
    """Messages of foreign protocols that nobody here reads."""
    samples: int = 0
    events: int = 0
    newest: datetime | None = None
    """Latest time of sending of what was stored."""

    @property
    def left(self) -> int:
        """Messages of which nothing was stored now."""
        return self.kept.total() + self.foreign

    def __iadd__(self, other: Self) -> Self:
        """Add what another transaction has stored."""
        self.stored += other.stored
        self.in_part += other.in_part
        self.kept += other.kept
        self.foreign += other.foreign
        self.samples += other.samples
        self.events += other.events
        self.newest = max((at for at in (self.newest, other.newest) if at is not None), default=None)
        return self


class Turn:
    """One transaction."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        limits: TimeLimits,
        places: Mapping[int, int],
        *,
        probing: bool = False,
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._places = places
        self._probing = probing
        self._rows: dict[int, list[QuarantineEntry]] = {}
        self._left: dict[int, list[Rejection]] = defaultdict(list)
        self._done: set[int] = set()
        self._result = Replayed()

    def store(self, flush: Sequence[Incoming], unstorable: Sequence[Refusal]) -> Replayed:
        """Store what can be stored of the messages that are in quarantine still."""
        turns.be_alone(self._connection)
        cars = vehicles.hold(self._connection, {i.vehicle_id for i in flush if i.vehicle_id is not None})
        by_place = {rows[0].id: rows for rows in self._hold(flush)}
        self._rows = {message: by_place[at] for message, at in self._places.items() if at in by_place}
        there = [
            i if i.vehicle_id is None or i.vehicle_id in cars else i.refused(UNKNOWN)
            for i in flush
            if id(i.message) in self._rows
        ]
        before = replacement.stored(self._connection, {i.key for i in there if i.key is not None})
        there = [marked(incoming, before) for incoming in there]
        own = {(i.key, i.sha256) for i in there}
        taken = {key: b.sha256 for key, b in before.items() if b.sha256 and (key, b.sha256) not in own}
        batches = sort_out(there, taken)
        for incoming, rejection in [*batches.refused, *unstorable]:
            self._left[id(incoming.message)].append(rejection)
        for received_at, new in self._by_arrival(batches.new).items():
            self._store_new(new, before, received_at)
        for incoming in there:
            if isinstance(incoming.content, Hello) and incoming.vehicle_id is not None:
                received_at = self._rows[id(incoming.message)][0].received_at
                record_dropped(self._connection, incoming.vehicle_id, incoming.content, received_at)
                self._done.add(id(incoming.message))
        for incoming in there:
            self._settle(id(incoming.message))
        return self._result

    def _hold(self, flush: Sequence[Incoming]) -> list[list[QuarantineEntry]]:
        return quarantine.hold(self._connection, [self._places[id(incoming.message)] for incoming in flush])

    def _by_arrival(self, new: Mapping[BatchKey, Incoming]) -> dict[datetime, dict[BatchKey, Incoming]]:
        result: dict[datetime, dict[BatchKey, Incoming]] = defaultdict(dict)
        for key, incoming in new.items():
            result[min(row.received_at for row in self._rows[id(incoming.message)])][key] = incoming
        return result

    def _store_new(
        self, new: Mapping[BatchKey, Incoming], before: Mapping[BatchKey, StoredBatch], received_at: datetime
    ) -> None:
        plan = make_plan(new, received_at, self._limits)
        for incoming, rejection in plan.refused:
            self._left[id(incoming.message)].append(rejection)
        better = {
            entry.key: new[entry.key]
            for entry in plan.entries
            if self._is_better(entry, new[entry.key], before.get(entry.key))
        }
        if len(better) < len(new):
            plan = make_plan(better, received_at, self._limits)
        for key, incoming in better.items():
            self._done.add(id(incoming.message))
            if key in before:
                times = incoming.content.times if isinstance(incoming.content, TelemetryBatch) else None
                replacement.withdraw(self._connection, before[key], times)
        self._write(plan, received_at)
        sent = [at for at in (latest_sent_at(better.values()), self._result.newest) if at is not None]
        self._result.newest = max(sent, default=None)

    def _write(self, plan: Plan, received_at: datetime) -> None:
        for table in plan.tables:
            if len(table.times):
                self._result.samples += copy_table(self._connection, table, received_at)
        if plan.events:
            self._result.events += events.record(self._connection, plan.events, received_at)
        ledger.record(self._connection, plan.entries)

    def _is_better(self, entry: LedgerEntry, incoming: Incoming, before: StoredBatch | None) -> bool:
        """Whether storing the batch by today's judgement gives more than what is stored of it."""
        if entry.kind is BatchKind.QUARANTINE:
            return False
        if self._probing or before is None or before.kind in (BatchKind.QUARANTINE, BatchKind.DROPPED):
            return True
        message = id(incoming.message)
        if entry.rows < before.rows or quarantine.says(self._rows[message], self._left[message]):
            return False
        content = incoming.content
        return not isinstance(content, TelemetryBatch) or replacement.is_distinct(
            self._connection, before, content.times
        )

    def _settle(self, message: int) -> None:
        rows, left = self._rows[message], self._left[message]
        if message in self._done:
            self._result.in_part += bool(left)
            self._result.stored += not left
        else:
            self._result.kept[left[0].reason if left else rows[0].reason] += 1
        if (left or message in self._done) and not quarantine.says(rows, left):
            quarantine.settle(self._connection, rows, left)
