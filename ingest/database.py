"""The writer's database: one connection that holds the shard, and patience while the database is away.

What needs the database is done again and again until it succeeds, so it must be harmless to repeat.

Errors:
    StandstillError: the database can be reached, but nothing has succeeded for long.
    ingest.shard.ShardHeldError: another process stores this shard.
    storage.connection.DatabaseUnavailableError: when the first connection is made.
    psycopg's own, where trying again is of no use.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

import numpy as np
import psycopg
import structlog

from ingest.shard import Shard, hold
from ingest.writer import is_passing
from storage.connection import DatabaseUnavailableError, connect

_FIRST_PAUSE_S: Final = 0.3
_LONGEST_PAUSE_S: Final = 30.0
_ASK_AFTER_S: Final = 5.0
"""So long after it last answered, an idle ingest asks whether the database is still there."""
STANDSTILL: Final = timedelta(minutes=10)

T = TypeVar("T")

log = structlog.get_logger()


class StandstillError(Exception):
    """The database can be reached, but what is to be stored has not been committed for long."""


class Database:
    """Used on the writer's thread only."""

    def __init__(self, database_url: str, shard: Shard, stop: threading.Event, rng: np.random.Generator) -> None:
        """Connect.

        Args:
            database_url: Where it is.
            shard: Is held for as long as there is a connection.
            stop: Ends all patience.
            rng: Spreads the attempts.
        """
        self._url = database_url
        self._shard = shard
        self._stop = stop
        self._rng = rng
        self.connection = self._connect()
        self._answered_at = time.monotonic()

    def patiently(
        self,
        work: Callable[[psycopg.Connection[Any]], T],
        tell: Callable[[bool], None],
        meanwhile: Callable[[], None],
    ) -> T | None:
        """Do some work, again and again while the database is away; None if we are to stop meanwhile.

        Args:
            work: Gets a connection in autocommit mode.
            tell: Is told after every attempt whether the database was there.
            meanwhile: Is called before each further attempt, and may raise.
        """
        pause_s = _FIRST_PAUSE_S
        reached_at = time.monotonic()
        while True:
            try:
                if self.connection.closed:
                    self.connection = self._connect()
                result = work(self.connection)
            except (psycopg.Error, DatabaseUnavailableError) as error:
                tell(False)
                if isinstance(error, psycopg.Error) and not is_passing(error, self.connection):
                    raise
                log.warning("database_away", error=_first_line(error), pause_s=round(pause_s, 1))
                if self.connection.closed:
                    reached_at = time.monotonic()
                elif time.monotonic() - reached_at > STANDSTILL.total_seconds():
                    raise StandstillError(f"nothing has been committed for {STANDSTILL}") from error
            else:
                self._answered_at = time.monotonic()
                tell(True)
                return result
            self.close()
            meanwhile()
            if self._stop.wait(float(self._rng.uniform(pause_s / 2, pause_s))):
                return None
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def silent(self) -> bool:
        """Whether it has not been asked anything for a while."""
        return time.monotonic() - self._answered_at > _ASK_AFTER_S

    def close(self) -> None:
        """End the connection, and with it the hold on the shard."""
        with suppress(psycopg.Error):
            self.connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        connection = connect(self._url, application=self._shard.application, autocommit=True)
        try:
            connection.execute("SET synchronous_commit = on")
            hold(connection, self._shard)
        except BaseException:
            connection.close()
            raise
        return connection


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
