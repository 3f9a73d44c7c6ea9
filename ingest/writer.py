"""What one flush of messages becomes in the database: one transaction, and nothing told before it has committed.

What is known from the ledger is not stored again, so a flush whose commit may or may not have happened is simply
stored once more. A flush that the database cannot hold is halved until the one message is found, which goes to
quarantine.

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
from ingest.acks import AckBook
from ingest.flush import Plan, Sorted, latest_sent_at, make_plan, sort_out
from ingest.incoming import Incoming
from ingest.registry import Registry
from ingest.validation import TimeLimits
from storage import events, ledger, quarantine
from storage.quarantine import QuarantinedMessage
from storage.telemetry_copy import copy_table
from vehicle.batch import StoredAck
from vehicle.rejection import Rejection, RejectionReason

MOST_DROPPED: Final = 100_000
"""Sequence numbers that one hello can declare dropped; of the rest the vehicle tells again in its next."""
_PASSING: Final = frozenset({"08", "25", "40", "53", "55", "57"})
"""SQLSTATE classes: connection, transaction state, rollback, resources, object not in state, intervention."""
_PROGRAM_LIMIT: Final = "54"
"""SQLSTATE class of what is too long or too deep."""

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
        self.acks += other.acks
        self.newest = max((at for at in (self.newest, other.newest) if at is not None), default=None)
        return self


def is_passing(error: psycopg.Error, connection: psycopg.Connection[Any]) -> bool:
    """Whether what has failed may succeed later, unchanged."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in _PASSING or connection.closed


def _is_data(error: psycopg.Error) -> bool:
    """Whether it is what we store that the database cannot hold."""
    return isinstance(error, psycopg.DataError) or (error.sqlstate or "")[:2] == _PROGRAM_LIMIT


class Writer:
    """Stores flushes; of a shard there must be only one."""

    def __init__(self, limits: TimeLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._registry = Registry()
        self._book = AckBook()

    def store(self, connection: psycopg.Connection[Any], flush: Sequence[Incoming]) -> Outcome:
        """Store messages for good, each once, and find out what to tell their senders.

        Args:
            connection: In autocommit mode.
            flush: In the order of arrival.
        """
        return self._store_or_halve(connection, self._registry.refuse_unknown(connection, flush))

    def _store_or_halve(self, connection: psycopg.Connection[Any], flush: Sequence[Incoming]) -> Outcome:
        try:
            return self._store(connection, flush)
        except (psycopg.Error, UnicodeEncodeError, RecursionError) as error:
            if isinstance(error, psycopg.Error) and not _is_data(error):
                raise
            if len(flush) > 1:
                middle = len(flush) // 2
                outcome = self._store_or_halve(connection, flush[:middle])
                outcome += self._store_or_halve(connection, flush[middle:])
                return outcome
            if isinstance(flush[0].content, Rejection):
                raise
            detail = f"the database cannot hold it: {type(error).__name__}"
            log.warning("message_refused_by_database", error=type(error).__name__)
            rejection = Rejection(RejectionReason.WRONG_TYPE, detail)
            return self._store(connection, [flush[0].refused(rejection)])

    def _store(self, connection: psycopg.Connection[Any], flush: Sequence[Incoming]) -> Outcome:
        newest = latest_sent_at(flush)
        present = self._clock.now()
        if self._limits.by_sender and newest is not None:
            present = max(present, newest)
        keys = sorted({incoming.key for incoming in flush if incoming.key is not None})
        with connection.transaction():
            batches = sort_out(flush, ledger.known(connection, keys))
            plan = make_plan(batches.new, present, self._limits)
            self._write(connection, batches, plan, present)
        # Duplicates too: their first copy's commit may have succeeded without our hearing of it.
        self._book.add(keys)
        given_up = [(vehicle_id, boot) for vehicle_id, hello in batches.hellos for boot, *_ in hello.dropped]
        self._book.forget(given_up)
        greeted = [(vehicle_id, hello.boot) for vehicle_id, hello in batches.hellos]
        boots = dict.fromkeys([*((key.vehicle_id, key.boot) for key in keys), *greeted, *given_up])
        refused = [*batches.refused, *plan.refused]
        return Outcome(
            batches=sum(entry.rows > 0 for entry in plan.entries),
            samples=sum(len(table.times) for table in plan.tables),
            events=sum(len(batch.events) for batch in plan.events),
            duplicates=len(batches.duplicates),
            refused=Counter(rejection.reason for _, rejection in refused),
            acks=self._book.stored_acks(connection, boots),
            newest=newest,
        )

    def _write(self, connection: psycopg.Connection[Any], batches: Sorted, plan: Plan, present: datetime) -> None:
        if batches.arrived_after_all:
            ledger.retract_dropped(connection, batches.arrived_after_all)
        for table in plan.tables:
            if len(table.times):
                copy_table(connection, table, present)
        if plan.events:
            events.record(connection, plan.events)
        ledger.record(connection, plan.entries)
        for vehicle_id, hello in batches.hellos:
            left = MOST_DROPPED
            for boot, first, last in hello.dropped:
                seqs = range(first, min(last, first + left - 1) + 1)
                left -= max(0, len(seqs))
                if seqs:
                    ledger.record_dropped(connection, vehicle_id, boot, seqs, present)
        refused = [*batches.refused, *plan.refused]
        if refused:
            quarantine.record(connection, [_quarantined(*each, present) for each in refused])


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
