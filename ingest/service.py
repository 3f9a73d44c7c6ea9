"""The ingest process: messages from the broker into the database, until it is told to stop.

Errors, each of which ends the process (what was not acknowledged comes again):
    storage.connection.DatabaseUnavailableError: at the start only; later ingest waits for the database.
    ingest.shard.ShardHeldError: another process stores this shard.
    ingest.session.BrokerTooOldError, SilentLinkError, agent.link.LinkError: the session cannot go on.
    ingest.database.StandstillError: the database answers, but has committed nothing for long.
    Anything else is a defect.
"""

import functools
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import psycopg
import structlog

from config.clock import Clock, WallClock
from config.settings import QUARANTINE_LIMIT
from ingest.continuity import Continuity
from ingest.database import Database
from ingest.foreign import ForeignCars
from ingest.gaps import Gaps
from ingest.incoming import Incoming, read
from ingest.memory import check_memory, memory_limit
from ingest.missing import GapLimits
from ingest.oversight import Oversight
from ingest.poison import PoisonGuard
from ingest.preparation import Prepared, prepare
from ingest.roster import Roster, subscriptions
from ingest.session import RECEIVE_MAXIMUM, Session
from ingest.shard import WHOLE_FLEET, Shard, ShardHeldError
from ingest.validation import TimeLimits
from ingest.watchdog import Watchdog
from ingest.writer import Outcome, Writer
from storage import incidents
from storage.connection import DatabaseUnavailableError
from storage.incidents import IncidentKind
from storage.ledger import last_contact
from vehicle.codec import JSON
from vehicle.command import encode_command
from vehicle.foreign_address import ForeignTopics
from vehicle.topics import Channel, topic

MESSAGES_A_FLUSH: Final = RECEIVE_MAXIMUM // 2
"""While one half of what the broker may deliver is stored, the other half arrives."""
_SWITCH_INTERVAL_S: Final = 0.0005
"""How long one thread may keep the other from running: with Python's 5 ms, the writer would wait so long after each
of the dozen answers of the database in a flush, while the network's thread reads."""
_STANDSTILL: Final = timedelta(minutes=2)
"""Longer than any statement may take (30 s) with its connection's timeouts."""

_GAP_LIMITS: Final = GapLimits()
_NO_FOREIGN_CARS: Final = ForeignTopics("", "")

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """What the process needs to know."""

    database_url: str
    mqtt_host: str
    mqtt_port: int
    limits: TimeLimits
    window: timedelta = timedelta(milliseconds=200)
    """Ingest commits at least this often."""
    shard: Shard = WHOLE_FLEET
    report_every: timedelta = timedelta(seconds=10)
    quarantine_limit: int = QUARANTINE_LIMIT
    """Bytes of payloads that quarantine may hold."""
    reconnect_within: timedelta = timedelta(seconds=10)
    """Longest pause between two attempts to reach the broker."""
    state: Path | None = None
    """Folder of the notes that tell a message at which the process ends; None: none are kept."""
    observation_port: int | None = None
    """Where metrics and probes are served on the loopback interface; None: nowhere, 0: at any port."""
    gaps: GapLimits = _GAP_LIMITS
    foreign: ForeignTopics = _NO_FOREIGN_CARS
    """Where cars publish that speak a maker's protocol."""


def run(settings: IngestSettings, clock: Clock, stop: threading.Event, rng: np.random.Generator) -> Outcome:
    """Store what arrives until `stop` is set; finish what is at hand, and return what has been stored."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        return _Service(settings, clock, stop, rng).run()
    except (DatabaseUnavailableError, ShardHeldError):
        if stop.is_set():
            return Outcome()
        raise


class _Service:
    def __init__(self, settings: IngestSettings, clock: Clock, stop: threading.Event, rng: np.random.Generator) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._rng = rng
        self._writer = Writer(settings.limits, clock, settings.quarantine_limit)
        self._guard = PoisonGuard(settings.state, settings.shard.client_id)
        self._watchdog = Watchdog(_STANDSTILL, stop, self._guard.close)
        # From here on the process ends soon when it is told to, even if it waits for a server.
        self._watchdog.start()
        self._database = Database(settings.database_url, settings.shard, stop, rng)
        # Only now: who holds the shard knows that its predecessor has ended.
        self._guard.open()
        self._session = Session(
            settings.mqtt_host,
            settings.mqtt_port,
            client_id=settings.shard.client_id,
            rng=rng,
            subscriptions=subscriptions(settings.shard, ()),
            read=self._guard.reader(read),
            prepare=self._prepare,
            longest_delay=settings.reconnect_within,
        )
        self._roster = Roster(settings.shard)
        self._gaps = Gaps(settings.shard, clock, settings.gaps)
        self._foreign = self._foreign_cars() if settings.foreign.filters else None
        self._continuity = self._watched_sessions()
        self._total = Outcome()
        self._reported = 0
        self._report_at = time.monotonic()
        self._oversight = Oversight(
            settings.shard,
            self._session,
            self._foreign,
            total=self._total,
            gaps=self._gaps,
            silent_for=self._watchdog.silent_for,
        )

    def run(self) -> Outcome:
        connection = self._database.connection
        # A predecessor may have died between its last commit and its last move of the clock.
        for sent_at in last_contact(connection, by_sender=True).values():
            self._clock.advance(sent_at)
        for hashed in self._guard.culprits:
            incidents.record(connection, IncidentKind.POISON, details={"payload_sha256": hashed.hex()})
        if self._roster.due():
            self._roster.tend(connection, self._session)
        check_memory(memory_limit())
        self._session.start()
        if self._foreign is not None:
            self._foreign.session.start()
        self._oversight.start(self._settings.observation_port)
        log.info("ingest_started", shard=self._settings.shard.application)
        try:
            while not self._stop.is_set():
                self._turn()
            self._store_foreign(ending=True)
        finally:
            self._session.stop()
            if self._foreign is not None:
                self._foreign.session.stop()
            self._oversight.stop()
            self._watchdog.release()
            self._database.close()
        self._guard.close()
        log.info("ingest_stopped", **_figures(self._total))
        return self._total

    def _turn(self) -> None:
        """One round, at most a window long while nothing arrives."""
        self._watchdog.beat()
        self._session.check()
        self._take_and_store()
        self._store_foreign()
        self._tend()
        self._report()

    def _tend(self) -> None:
        """What is due now and then; each collaborator has one call here and its own sense of time."""
        if self._continuity.due() and self._patiently(self._continuity.tend):
            self._patiently(self._gaps.ask_everything)
        if self._gaps.due():
            for vehicle_id, command in self._patiently(self._gaps.tend) or ():
                self._session.tell(topic(vehicle_id, Channel.COMMAND), encode_command(command), JSON)
        if self._roster.due():
            self._patiently(lambda connection: self._roster.tend(connection, self._session))
        self._oversight.quarantine.tell(works=not self._writer.room.full)
        if self._database.silent():
            self._patiently(lambda connection: connection.execute("SELECT 1"))

    def _take_and_store(self) -> None:
        taken = self._session.take(MESSAGES_A_FLUSH, self._settings.window)
        if not taken.deliveries:
            return
        taken_at = time.monotonic()
        flush = taken.flush
        outcome = self._store_patiently(flush, taken.prepared)
        if outcome is None:
            return
        if outcome.newest is not None:
            self._clock.advance(outcome.newest)
        self._note_commit(flush, taken_at)
        self._session.settle(taken.deliveries, outcome.acks)
        self._gaps.note(outcome.acks)
        outcome.acks = []
        self._total += outcome

    def _note_commit(self, flush: Sequence[Incoming], taken_at: float) -> None:
        self._oversight.committed(flush, self._clock.now(), timedelta(seconds=time.monotonic() - taken_at))

    def _store_foreign(self, *, ending: bool = False) -> None:
        """Store what foreign cars have told; at the end all of it, as far as the database is there."""
        foreign = self._foreign
        if foreign is None:
            return
        foreign.session.check()
        while foreign.due():
            taken_at = time.monotonic()
            flush = self._patiently(lambda connection: foreign.take(connection, ending=ending))
            outcome = None if flush is None else self._store_patiently(flush) if flush else Outcome()
            if outcome is None:
                return
            if flush:
                self._note_commit(flush, taken_at)
            outcome.acks = []
            self._total += outcome
            foreign.settle()
            if not (ending and flush):
                return

    def _watched_sessions(self) -> Continuity:
        shard = self._settings.shard
        sessions = {shard.client_id: self._session}
        if self._foreign is not None:
            sessions[f"{shard.client_id}-foreign"] = self._foreign.session
        return Continuity((self._settings.mqtt_host, self._settings.mqtt_port), shard, sessions, self._rng)

    def _foreign_cars(self) -> ForeignCars:
        settings = self._settings
        return ForeignCars(
            (settings.mqtt_host, settings.mqtt_port),
            settings.foreign,
            settings.shard,
            wall=WallClock(),
            rng=self._rng,
            longest_delay=settings.reconnect_within,
        )

    def _prepare(self, flush: Sequence[Incoming]) -> Prepared | None:
        """Make a full flush ready while another one is stored; on the network's thread."""
        with self._guard.preparing(flush) as messages:
            return prepare(messages, self._clock.now(), self._settings.limits) if messages else None

    def _store_patiently(self, flush: Sequence[Incoming], prepared: Prepared | None = None) -> Outcome | None:
        """Store a flush, however long the database is away; None if we are to stop meanwhile."""
        total = Outcome()
        for portion in self._guard.portions(flush):
            outcome = self._patiently(functools.partial(self._store, portion=portion, prepared=prepared))
            if outcome is None:
                return None
            total += outcome
        return total

    def _store(
        self, connection: psycopg.Connection[Any], portion: Sequence[Incoming], prepared: Prepared | None
    ) -> Outcome:
        with self._guard.at_work(portion) as messages:
            return self._writer.store(connection, messages, prepared)

    def _patiently(self, work: Callable[[psycopg.Connection[Any]], T]) -> T | None:
        """Do some work at the database, again and again while it is away; None if we are to stop meanwhile."""
        return self._database.patiently(work, self._database_works, self._wait_for_database)

    def _database_works(self, works: bool) -> None:  # noqa: FBT001 - a callback of one argument
        self._oversight.database.tell(works=works)
        if not works:
            # Whatever follows is the database's doing, not a message's.
            self._guard.rest()

    def _wait_for_database(self) -> None:
        self._watchdog.beat()
        self._session.check()

    def _report(self) -> None:
        if time.monotonic() - self._report_at < self._settings.report_every.total_seconds():
            return
        self._report_at = time.monotonic()
        if self._session.statistics.received != self._reported:
            self._reported = self._session.statistics.received
            log.info("ingested", received=self._reported, **_figures(self._total))


def _figures(total: Outcome) -> dict[str, Any]:
    return {
        "batches": total.batches,
        "samples": total.samples,
        "events": total.events,
        "duplicates": total.duplicates,
        "withheld": total.withheld,
        "discarded": total.discarded,
        "quarantined": {str(reason): count for reason, count in total.refused.items()},
    }
