"""`vsc watch`: looks again and again, follows its rule files, and outlives its database.

Errors: `WatchedAlreadyError`, which names who watches.
"""

import threading
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog

from config.clock import Clock
from flows.order import open_tickets
from flows.rules_at_work import RulesAtWork
from flows.watch import Watch, WatchSummary
from storage import detectors
from storage.connection import DatabaseUnavailableError, connect
from tickets.catalogue import load_catalogue

LOOK_EVERY_S: Final = 0.2
"""Pause after a look that had no news: a question to one index."""
_TELL_EVERY_S: Final = 60.0
_PAUSE_S: Final = 2.0
"""Before the database is asked again that did not answer."""
_PATIENCE_S: Final = 10.0
"""So long the session of a watcher that was killed may outlive it."""

_LOG: Final = structlog.get_logger()


class WatchedAlreadyError(Exception):
    """Another process watches the fleet."""


@dataclass(slots=True)
class Tally:
    """What was done since it was last told of."""

    done: WatchSummary
    looks: int = 0
    longest_s: float = 0.0

    def take(self, done: WatchSummary, took_s: float) -> None:
        """Add a look."""
        self.done = self.done.plus(done)
        self.looks += done.vehicles > 0
        self.longest_s = max(self.longest_s, took_s)


def watch(
    database_url: str, clock: Clock, rules: Path, stop: threading.Event, console_url: str = "", *, go_on: bool = False
) -> None:
    """Judge what arrives until `stop` is set, and open tickets for what is sure enough.

    Args:
        database_url: where it is; while it does not answer, it is asked again.
        clock: the stack's.
        rules: folder of the rule files, which are followed.
        stop: ends it between two looks.
        console_url: base of the links to the tickets' pages, empty if there are none.
        go_on: if the files are broken at first, refuse them, and judge by those that were last right.

    Raises:
        RuleError: if the files are broken at first, and there are none to go on with.
        WatchedAlreadyError: if another process is at it.
        DatabaseUnavailableError: if the database does not answer at first.
    """
    with connect(database_url, application="vsc watch", autocommit=True) as connection:
        at_work = RulesAtWork.begin(connection, rules, go_on=go_on)
    connection = connect(database_url, application="vsc watch", autocommit=True)
    while not stop.is_set():
        try:
            with closing(connection):
                _hold(connection, stop)
                _follow(connection, clock, at_work, stop, console_url)
        except psycopg.OperationalError as error:
            _LOG.warning("database_away", error=str(error).partition("\n")[0])
        while connection.closed and not stop.wait(_PAUSE_S):
            try:
                connection = connect(database_url, application="vsc watch", autocommit=True)
            except DatabaseUnavailableError as error:
                _LOG.warning("database_away", error=str(error))


def watch_once(
    database_url: str, clock: Clock, rules: Path, console_url: str = "", *, go_on: bool = False
) -> WatchSummary:
    """Judge what has arrived, as `watch` would, and no more.

    Raises:
        RuleError: if the files are broken, and there are none to go on with.
        WatchedAlreadyError: if another process is at it.
        DatabaseUnavailableError: if nobody answers at the address.
    """
    with connect(database_url, application="vsc watch", autocommit=True) as connection:
        _hold(connection, threading.Event())
        watching, done = Watch(RulesAtWork.begin(connection, rules, go_on=go_on).rules, clock), WatchSummary()
        while True:
            done = done.plus(watching.look(connection))
            if not watching.is_behind:
                break
        if done.alerts:
            open_tickets(connection, load_catalogue(), clock, console_url)
        return done


def _follow(
    connection: psycopg.Connection[Any], clock: Clock, at_work: RulesAtWork, stop: threading.Event, console_url: str
) -> None:
    watching, catalogue = Watch(at_work.rules, clock), load_catalogue()
    _LOG.info("watching", rules=len(watching.rules), with_the_day=len(at_work.rules) - len(watching.rules))
    # Of alerts that were stored before the database, or a watcher before this one, went away.
    open_tickets(connection, catalogue, clock, console_url)
    tally, told_at = Tally(WatchSummary()), time.monotonic()
    while not stop.is_set():
        if at_work.follow(connection):
            watching.take_rules(at_work.rules)
        began = time.monotonic()
        done = watching.look(connection)
        if done.alerts:
            open_tickets(connection, catalogue, clock, console_url, watching.alerted)
        tally.take(done, time.monotonic() - began)
        if done.findings:
            _LOG.info("found", **asdict(done))
        if time.monotonic() - told_at > _TELL_EVERY_S:
            _LOG.info("watched", looks=tally.looks, longest_s=round(tally.longest_s, 3), **asdict(tally.done))
            tally, told_at = Tally(WatchSummary()), time.monotonic()
        if not done.vehicles and not watching.is_behind:
            stop.wait(LOOK_EVERY_S)


def _hold(connection: psycopg.Connection[Any], stop: threading.Event) -> None:
    """Be the only one who watches, for as long as there is the connection."""
    until = time.monotonic() + _PATIENCE_S
    while (holder := detectors.hold_watch(connection)) is not None:
        if stop.wait(LOOK_EVERY_S) or time.monotonic() > until:
            raise WatchedAlreadyError(f"the fleet is watched already, by {holder}; one watcher is enough")
