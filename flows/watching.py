"""`vsc watch`: looks again and again, follows its rule files, and outlives its database.

Errors: `WatchedAlreadyError`, which names who watches.
"""

import threading
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final

import psycopg
import structlog

from config.clock import Clock
from flows.order import open_tickets
from flows.rule_folder import RuleFolder
from flows.watch import Watch, WatchSummary
from rules.loader import RuleError
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


def watch(database_url: str, clock: Clock, folder: RuleFolder, stop: threading.Event, console_url: str = "") -> None:
    """Judge what arrives until `stop` is set, and open tickets for what is sure enough.

    Args:
        database_url: where it is; while it does not answer, it is asked again.
        clock: the stack's.
        folder: the rules.
        stop: ends it between two looks.
        console_url: base of the links to the tickets' pages, empty if there are none.

    Raises:
        WatchedAlreadyError: if another process is at it.
        DatabaseUnavailableError: if the database does not answer at first.
    """
    connection = connect(database_url, application="vsc watch", autocommit=True)
    while not stop.is_set():
        try:
            with closing(connection):
                _hold(connection, stop)
                _follow(connection, clock, folder, stop, console_url)
        except psycopg.OperationalError as error:
            _LOG.warning("database_away", error=str(error).partition("\n")[0])
        while connection.closed and not stop.wait(_PAUSE_S):
            try:
                connection = connect(database_url, application="vsc watch", autocommit=True)
            except DatabaseUnavailableError as error:
                _LOG.warning("database_away", error=str(error))


def watch_once(database_url: str, clock: Clock, folder: RuleFolder, console_url: str = "") -> WatchSummary:
    """Judge what has arrived, and no more.

    Raises:
        WatchedAlreadyError: if another process is at it.
        DatabaseUnavailableError: if nobody answers at the address.
    """
    with connect(database_url, application="vsc watch", autocommit=True) as connection:
        _hold(connection, threading.Event())
        watching, done = Watch(folder.rules, clock), WatchSummary()
        while True:
            done = done.plus(watching.look(connection))
            if not watching.is_behind:
                break
        if done.alerts:
            open_tickets(connection, load_catalogue(), clock, console_url)
        return done


def _follow(
    connection: psycopg.Connection[Any], clock: Clock, folder: RuleFolder, stop: threading.Event, console_url: str
) -> None:
    watching, catalogue = Watch(folder.rules, clock), load_catalogue()
    _LOG.info("watching", rules=len(watching.rules), with_the_day=len(folder.rules) - len(watching.rules))
    tally, told_at = Tally(WatchSummary()), time.monotonic()
    while not stop.is_set():
        _follow_files(watching, folder)
        began = time.monotonic()
        done = watching.look(connection)
        if done.alerts:
            open_tickets(connection, catalogue, clock, console_url)
        tally.take(done, time.monotonic() - began)
        if done.findings:
            _LOG.info("found", **asdict(done))
        if time.monotonic() - told_at > _TELL_EVERY_S:
            _LOG.info("watched", looks=tally.looks, longest_s=round(tally.longest_s, 3), **asdict(tally.done))
            tally, told_at = Tally(WatchSummary()), time.monotonic()
        if not done.vehicles and not watching.is_behind:
            stop.wait(LOOK_EVERY_S)


def _follow_files(watching: Watch, folder: RuleFolder) -> None:
    """Take over rules that have changed; broken ones are refused, and the old ones stay at work."""
    try:
        change = folder.reload()
    except RuleError as error:
        _LOG.error("rules_refused", mistakes=str(error).splitlines(), at_work=len(watching.rules))
        return
    if change is not None:
        watching.take_rules(folder.rules)
        _LOG.info("rules_taken_over", **asdict(change))


def _hold(connection: psycopg.Connection[Any], stop: threading.Event) -> None:
    """Be the only one who watches, for as long as there is the connection."""
    until = time.monotonic() + _PATIENCE_S
    while (holder := detectors.hold_watch(connection)) is not None:
        if stop.wait(LOOK_EVERY_S) or time.monotonic() > until:
            raise WatchedAlreadyError(f"the fleet is watched already, by {holder}; one watcher is enough")
