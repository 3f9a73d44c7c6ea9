"""The ingest process: messages from the broker into the database, until it is told to stop.

Errors, each of which ends the process (what was not acknowledged comes again):
    storage.connection.DatabaseUnavailableError: at the start only; later ingest waits for the database.
    ingest.shard.ShardHeldError: another process stores this shard.
    ingest.session.BrokerTooOldError, SilentLinkError, agent.link.LinkError: the session cannot go on.
    Anything else is a defect.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import psycopg
import structlog

from config.clock import Clock
from ingest.incoming import Incoming
from ingest.session import RECEIVE_MAXIMUM, Session
from ingest.shard import WHOLE_FLEET, Shard, hold
from ingest.validation import TimeLimits
from ingest.watchdog import Watchdog
from ingest.writer import Outcome, Writer, is_passing
from storage.connection import DatabaseUnavailableError, connect
from storage.ledger import last_contact

MESSAGES_A_FLUSH: Final = RECEIVE_MAXIMUM // 2
"""While one half of what the broker may deliver is stored, the other half arrives."""
_FIRST_PAUSE_S: Final = 0.3
_LONGEST_PAUSE_S: Final = 30.0
_STANDSTILL: Final = timedelta(minutes=2)
"""Longer than any statement may take (30 s) with its connection's timeouts."""

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
    reconnect_within: timedelta = timedelta(seconds=60)
    """Longest pause between two attempts to reach the broker."""


def run(settings: IngestSettings, clock: Clock, stop: threading.Event, rng: np.random.Generator) -> Outcome:
    """Store what arrives until `stop` is set; finish what is at hand, and return what has been stored."""
    return _Service(settings, clock, stop, rng).run()


class _Service:
    def __init__(self, settings: IngestSettings, clock: Clock, stop: threading.Event, rng: np.random.Generator) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._rng = rng
        self._writer = Writer(settings.limits, clock)
        self._watchdog = Watchdog(_STANDSTILL)
        self._connection = self._connect()
        self._session = Session(
            settings.mqtt_host,
            settings.mqtt_port,
            client_id=settings.shard.client_id,
            rng=rng,
            longest_delay=settings.reconnect_within,
        )
        self._total = Outcome()
        self._reported = 0
        self._report_at = time.monotonic()

    def run(self) -> Outcome:
        # A predecessor may have died between its last commit and its last move of the clock.
        for sent_at in last_contact(self._connection).values():
            self._clock.advance(sent_at)
        self._watchdog.start()
        self._session.start()
        log.info("ingest_started", shard=self._settings.shard.application)
        try:
            while not self._stop.is_set():
                self._watchdog.beat()
                self._session.check()
                self._take_and_store()
                self._report()
        finally:
            self._session.stop()
            self._watchdog.release()
            self._connection.close()
        log.info("ingest_stopped", **_figures(self._total))
        return self._total

    def _take_and_store(self) -> None:
        deliveries = self._session.take(MESSAGES_A_FLUSH, self._settings.window)
        if not deliveries:
            return
        outcome = self._store_patiently([delivery.incoming for delivery in deliveries])
        if outcome is None:
            return
        if outcome.newest is not None:
            self._clock.advance(outcome.newest)
        self._session.settle(deliveries, outcome.acks)
        outcome.acks = []
        self._total += outcome

    def _store_patiently(self, flush: Sequence[Incoming]) -> Outcome | None:
        """Store a flush, however long the database is away; None if we are to stop meanwhile."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                if self._connection.closed:
                    self._connection = self._connect()
                return self._writer.store(self._connection, flush)
            except (psycopg.Error, DatabaseUnavailableError) as error:
                if isinstance(error, psycopg.Error) and not is_passing(error, self._connection):
                    raise
                log.warning("database_away", error=_first_line(error), pause_s=round(pause_s, 1))
            with suppress(psycopg.Error):
                self._connection.close()
            self._watchdog.beat()
            self._session.check()
            if self._stop.wait(float(self._rng.uniform(pause_s / 2, pause_s))):
                return None
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _connect(self) -> psycopg.Connection[Any]:
        shard = self._settings.shard
        connection = connect(self._settings.database_url, application=shard.application, autocommit=True)
        try:
            connection.execute("SET synchronous_commit = on")
            hold(connection, shard)
        except BaseException:
            connection.close()
            raise
        return connection

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
        "quarantined": {str(reason): count for reason, count in total.refused.items()},
    }


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
