"""Whether the broker keeps ingest's sessions, and what follows if it has lost one or should keep it no longer.

A session that the database knows of and the broker does not is lost, with every message that waited in it: an
incident, with the time in which messages may have been lost. One that the database does not know of is the first.
If the process ends between being accepted by the broker and noting that here, a lost session passes unnoticed; the
vehicles still send again what they were not told stored.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import psycopg
import structlog

from ingest.farewell import end_session
from ingest.session import Session
from ingest.shard import Shard
from storage import incidents, ingest_sessions
from storage.incidents import IncidentKind

ASK_AFTER_S: Final = (0.0, 5.0, 20.0, 60.0)
"""After a loss the vehicles are asked more than once: they may be back at the broker later than ingest."""
HEARD_EVERY_S: Final = 10.0
"""How exactly it is known when a session was last there."""

log = structlog.get_logger()


class Continuity:
    """Watches over the sessions of one shard."""

    def __init__(
        self, broker: tuple[str, int], shard: Shard, sessions: Mapping[str, Session], rng: np.random.Generator
    ) -> None:
        """Make one.

        Args:
            broker: Host and port.
            shard: Whose sessions they are.
            sessions: By client id.
            rng: Spreads attempts to connect.
        """
        self._broker = broker
        self._shard = shard
        self._sessions = sessions
        self._rng = rng
        self._noted_at = float("-inf")
        self._openings: dict[str, list[bool]] = {client_id: [] for client_id in sessions}
        self._ask_at: list[float] = []
        self._alone = False
        """Whether no session of another layout is left."""

    def due(self) -> bool:
        """Whether there is something to note."""
        for client_id, session in self._sessions.items():
            self._openings[client_id] += session.openings()
        now = time.monotonic()
        to_ask = bool(self._ask_at) and self._ask_at[0] <= now
        return to_ask or any(self._openings.values()) or now - self._noted_at > HEARD_EVERY_S

    def tend(self, connection: psycopg.Connection[Any]) -> bool:
        """Note which sessions are there; True if the broker has lost one, and the vehicles are to be asked."""
        for client_id, session in self._sessions.items():
            if session.reachable.standing.works or self._openings[client_id]:
                self._note(connection, client_id)
        self._noted_at = time.monotonic()
        if not self._alone and all(session.reachable.standing.works for session in self._sessions.values()):
            self._end_others(connection)
        now = time.monotonic()
        later = [at for at in self._ask_at if at > now]
        to_ask, self._ask_at = len(later) < len(self._ask_at), later
        return to_ask

    def _note(self, connection: psycopg.Connection[Any], client_id: str) -> None:
        """Note that a session is there, and whether the broker had lost it."""
        incident = None
        with connection.transaction():
            heard_at = ingest_sessions.heard(connection, client_id, self._shard.count)
            if heard_at is not None and not all(self._openings[client_id]):
                details = {"client_id": client_id}
                incident = incidents.record(connection, IncidentKind.LOST_SESSION, heard_at, details)
        self._openings[client_id] = []
        if incident is not None:
            self._ask_at = [time.monotonic() + after_s for after_s in ASK_AFTER_S]
            log.error(
                "session_lost",
                client_id=client_id,
                possible_gap_from=incident.from_at.isoformat(),
                to=incident.to_at.isoformat(),
            )

    def _end_others(self, connection: psycopg.Connection[Any]) -> None:
        """End the sessions of another layout, of which no process can be running while we hold our shard."""
        for client_id in ingest_sessions.of_other_layouts(connection, self._shard.count):
            if not end_session(*self._broker, client_id, self._rng):
                return
            ingest_sessions.forget(connection, client_id)
            log.info("session_ended", client_id=client_id, hint="the fleet is divided in another way now")
        self._alone = True
