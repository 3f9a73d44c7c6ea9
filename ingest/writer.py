"""What one flush of messages becomes in the database: one transaction, and nothing told before it has committed.

What is known from the ledger is not stored again, so a flush whose commit may or may not have happened is simply
stored once more. A flush that the database cannot hold is halved until the one sample is found, whose message goes
to quarantine. When quarantine is full, a batch that would need it is not stored at all and not told of: its vehicle
keeps it and sends it again.

Errors: psycopg's own, but those that the data cause; `is_passing` tells which of them mean to try again.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

import psycopg
import structlog

from config.clock import Clock
from config.settings import QUARANTINE_LIMIT
from ingest.acks import AckBook
from ingest.bisection import store_piecewise, tells_data_fault
from ingest.flush import Refusal, Remainder, Work, keys_of, latest_sent_at, leave_out, make_work
from ingest.incoming import Incoming
from ingest.preparation import Prepared, present_of
from ingest.registry import Registry
from ingest.room import Room
from ingest.validation import TimeLimits
from storage import events, ledger, quarantine, turns
from storage.ledger import BatchKey
from storage.quarantine import QuarantinedMessage
from storage.telemetry_copy import Rows, copy_rows, rows_of
from vehicle.batch import Hello, StoredAck
from vehicle.rejection import Rejection, RejectionReason

MOST_DROPPED: Final = 100_000
"""Sequence numbers that one hello can declare dropped; of the rest the vehicle tells again in its next."""
_SUSPICIOUS: Final = (RejectionReason.VEHICLE_MISMATCH, RejectionReason.ID_CONFLICT)
_MOST_NAMED: Final = 5
_PASSING: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""SQLSTATE classes: connection, transaction state, rollback, resources, object not in state, intervention, system."""

log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """What has been stored, and what to tell the senders."""

    batches: int = 0
    """New batches of which something is in the tables now."""
    samples: int = 0
    events: int = 0
    duplicates: int = 0
    refused: Counter[RejectionReason] = field(default_factory=Counter)
    """Rows of quarantine; a batch refused in part counts here and in `batches`."""
    withheld: int = 0
    """Messages left to their vehicles, because quarantine is full; none of them is covered by a stored-ack."""
    discarded: int = 0
    """Messages lost, because quarantine is full and nobody sends them again."""
    acks: list[tuple[str, StoredAck]] = field(default_factory=list)
    newest: datetime | None = None
    """Latest time of sending of what is safe now."""

    def __iadd__(self, other: Self) -> Self:
        """Add what another transaction has stored."""
        self.batches += other.batches
        self.samples += other.samples
        self.events += other.events
        self.duplicates += other.duplicates
        self.refused += other.refused
        self.withheld += other.withheld
        self.discarded += other.discarded
        if self.acks and other.acks:
            # Of one boot the later one says it all.
            latest = {(vehicle_id, ack.boot): ack for vehicle_id, ack in (*self.acks, *other.acks)}
            self.acks = [(vehicle_id, ack) for (vehicle_id, _), ack in latest.items()]
        else:
            self.acks += other.acks
        self.newest = max((at for at in (self.newest, other.newest) if at is not None), default=None)
        return self


def is_passing(error: psycopg.Error, connection: psycopg.Connection[Any]) -> bool:
    """Whether what has failed may succeed later, unchanged."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in _PASSING or connection.closed


@dataclass(slots=True)
class _Written:
    """What one transaction has written."""

    work: Work
    keys: list[BatchKey]
    """Of the messages that are safe with it."""
    newest: datetime | None
    """Latest time of sending among them."""
    remainder: Remainder
    """What quarantine had no room for."""
    quarantine_bytes: int
    """How much quarantine has grown."""


class Writer:
    """Stores flushes; of a shard there must be only one."""

    def __init__(self, limits: TimeLimits, clock: Clock, quarantine_limit: int = QUARANTINE_LIMIT) -> None:
        self._limits = limits
        self._clock = clock
        self._registry = Registry()
        self._book = AckBook()
        self.room = Room(quarantine_limit)

    def store(
        self, connection: psycopg.Connection[Any], flush: Sequence[Incoming], prepared: Prepared | None = None
    ) -> Outcome:
        """Store messages for good, each once, and find out what to tell their senders.

        Args:
            connection: In autocommit mode.
            flush: In the order of arrival.
            prepared: What has been done with this flush already, if anything.
        """
        try:
            return self._store_all(connection, flush, prepared)
        except psycopg.Error as error:
            # What was to be committed when this came may be there or not: only the ledger knows.
            self._book.forget((each.key.vehicle_id, each.key.boot) for each in flush if each.key is not None)
            if not isinstance(error, psycopg.errors.UniqueViolation):
                raise
        return self._store_all(connection, flush)

    def _store_all(
        self, connection: psycopg.Connection[Any], flush: Sequence[Incoming], prepared: Prepared | None = None
    ) -> Outcome:
        return store_piecewise(
            self._registry.refuse_unknown(connection, flush),
            lambda these, unstorable: self._store(connection, these, unstorable, prepared),
            lambda incoming: self._fits(connection, incoming),
        )

    def _store(
        self,
        connection: psycopg.Connection[Any],
        flush: Sequence[Incoming],
        unstorable: Sequence[Refusal],
        prepared: Prepared | None,
    ) -> Outcome:
        with connection.transaction():
            written = self._write(connection, flush, unstorable, prepared)
        self.room.take(written.quarantine_bytes)
        work = written.work
        _warn_of_attacks(work.refused)
        # Duplicates too: their first copy's commit may have succeeded without our hearing of it.
        self._book.add(written.keys)
        hellos, plan = work.batches.hellos, work.plan
        given_up = [(vehicle_id, boot) for vehicle_id, hello in hellos for boot, *_ in hello.dropped]
        greeted = [(vehicle_id, hello.boot) for vehicle_id, hello in hellos]
        # What answers a hello may empty an outbox: it comes from the ledger itself.
        self._book.forget([*given_up, *greeted])
        boots = dict.fromkeys([*((key.vehicle_id, key.boot) for key in written.keys), *greeted, *given_up])
        return Outcome(
            batches=sum(entry.rows > 0 for entry in plan.entries),
            samples=sum(len(table.times) for table in plan.tables),
            events=sum(len(batch.events) for batch in plan.events),
            duplicates=len(work.batches.duplicates),
            refused=Counter(rejection.reason for _, rejection in work.refused),
            withheld=written.remainder.withheld,
            discarded=written.remainder.discarded,
            acks=self._book.stored_acks(connection, boots),
            newest=written.newest,
        )

    def _fits(self, connection: psycopg.Connection[Any], incoming: Incoming) -> bool:
        def attempt() -> None:
            with connection.transaction(force_rollback=True):
                self._write(connection, [incoming], ())

        return not tells_data_fault(attempt)

    def _write(
        self,
        connection: psycopg.Connection[Any],
        flush: Sequence[Incoming],
        unstorable: Sequence[Refusal],
        prepared: Prepared | None = None,
    ) -> _Written:
        turns.take_part(connection)
        keys = keys_of(flush)
        # Of what is safe the ledger must say with which content; of the rest it knows nothing.
        safe = self._book.safe(connection, keys)
        known = ledger.known(connection, safe) if safe else {}
        # A car that was forgotten and is registered again sends what the book has of its former life.
        self._book.forget((key.vehicle_id, key.boot) for key in safe if key not in known)
        rows: Sequence[Rows] | None = None
        if prepared is not None and not known and not unstorable and prepared.is_of(flush):
            work, present, newest, rows = prepared.work, prepared.present, prepared.newest, prepared.rows
        else:
            present, newest = present_of(flush, self._clock.now(), self._limits)
            work = make_work(flush, known, present, self._limits, unstorable)
        remainder = Remainder()
        refused = _rows_of(work.refused, present)
        unplaced = self.room.unplaced(connection, refused) if refused else []
        if unplaced:
            remainder = leave_out(flush, unplaced, work.batches.new)
            work = make_work(remainder.flush, known, present, self._limits, unstorable)
            refused = _rows_of(work.refused, present)
            keys, newest, rows = keys_of(work.flush), latest_sent_at(work.flush), None
        if rows is None:
            rows = [rows_of(table, present) for table in work.plan.tables if len(table.times)]
        _write_work(connection, work, rows, present)
        grown = quarantine.record(connection, [row for _, row in refused]) if refused else 0
        return _Written(work, keys, newest, remainder, grown)


def _write_work(connection: psycopg.Connection[Any], work: Work, samples: Sequence[Rows], present: datetime) -> None:
    if work.batches.arrived_after_all:
        ledger.retract_dropped(connection, work.batches.arrived_after_all)
    for rows in samples:
        copy_rows(connection, rows)
    if work.plan.events:
        events.record(connection, work.plan.events, present)
    ledger.record(connection, work.plan.entries)
    for vehicle_id, hello in work.batches.hellos:
        record_dropped(connection, vehicle_id, hello, present)


def record_dropped(connection: psycopg.Connection[Any], vehicle_id: str, hello: Hello, present: datetime) -> None:
    """Enter what a vehicle says to have given up, so that nobody waits for it."""
    left = MOST_DROPPED
    for boot, first, last in hello.dropped:
        seqs = range(first, min(last, first + left - 1) + 1)
        left -= max(0, len(seqs))
        if seqs:
            ledger.record_dropped(connection, vehicle_id, boot, seqs, present)


def _warn_of_attacks(refused: Sequence[Refusal]) -> None:
    """Log what honest senders do not do: once a flush and reason, so that nobody can flood the log."""
    for reason in _SUSPICIOUS:
        senders = [incoming.vehicle_id for incoming, rejection in refused if rejection.reason is reason]
        if senders:
            vehicles = sorted({sender for sender in senders if sender is not None})[:_MOST_NAMED]
            log.warning("security", reason=str(reason), messages=len(senders), vehicles=vehicles)


def _rows_of(refused: Sequence[Refusal], present: datetime) -> list[tuple[Incoming, QuarantinedMessage]]:
    """Each message with the row of quarantine that it needs."""
    return [(incoming, _quarantined(incoming, rejection, present)) for incoming, rejection in refused]


def _quarantined(incoming: Incoming, rejection: Rejection, present: datetime) -> QuarantinedMessage:
    return QuarantinedMessage(
        received_at=present,
        topic=incoming.message.topic,
        rejection=rejection,
        payload=incoming.message.payload,
        content_type=incoming.message.content_type or "",
        vehicle_id=incoming.vehicle_id,
        boot=incoming.key.boot if incoming.key else None,
        seq=incoming.key.seq if incoming.key else None,
    )
