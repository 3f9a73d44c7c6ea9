"""What is in quarantine stored after all: after a fix of ours, or once its vehicle is registered.

A message is read by today's code and judged by today's limits, as of the time at which it arrived. In one
transaction, alone among those who store, its rows go into the tables, its ledger entry is made anew, so that the
detectors see it arrive, and its payload leaves quarantine: afterwards it is in the one or in the other, never in
both. A batch that had been stored in part is replaced as a whole. What still cannot be stored stays, with today's
reasons.

Errors: psycopg's own, but those that the data cause.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import psycopg

from ingest.bisection import store_piecewise, tells_data_fault
from ingest.flush import Refusal
from ingest.foreign_replay import ForeignReader
from ingest.incoming import Incoming, read
from ingest.rebuilt import rebuild, set_clock
from ingest.replay_turn import Replayed, Turn
from ingest.validation import TimeLimits
from storage import quarantine
from storage.quarantine import EVERYTHING, QuarantineEntry, Selection
from vehicle.topics import PREFIX

MESSAGES_A_TURN: Final = 100
"""Stored in one transaction, for which ingest waits: some tens of milliseconds."""


class Replay:
    """Replays messages of quarantine, beside a running ingest or without one."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        limits: TimeLimits,
        *,
        clock_offset: timedelta = timedelta(0),
        dry_run: bool = False,
        foreign: ForeignReader | None = None,
    ) -> None:
        """Store over `connection`, which is in autocommit mode; a dry run finds out what would be, and undoes it."""
        self._foreign = foreign
        self._connection = connection
        self._limits = limits
        self._clock_offset = clock_offset
        self._dry_run = dry_run

    def run(self, which: Selection = EVERYTHING) -> Replayed:
        """Replay each message that a selected row is of."""
        result = Replayed()
        ids = quarantine.messages(self._connection, which)
        for start in range(0, len(ids), MESSAGES_A_TURN):
            result += self._turn(ids[start : start + MESSAGES_A_TURN])
        return result

    def _turn(self, ids: Sequence[int]) -> Replayed:
        others = Replayed()
        flush: list[Incoming] = []
        places: dict[int, int] = {}
        for rows in quarantine.hold(self._connection, ids):
            incoming = self._read(rows)
            if incoming is None:
                others.foreign += 1
                continue
            if self._clock_offset:
                incoming = replace(incoming, content=set_clock(incoming.content, self._clock_offset))
            places[id(incoming.message)] = rows[0].id
            flush.append(incoming)
        if not flush:
            return others

        def store(these: Sequence[Incoming], unstorable: Sequence[Refusal]) -> Replayed:
            with self._connection.transaction(force_rollback=self._dry_run):
                return Turn(self._connection, self._limits, places).store(these, unstorable)

        def fits(incoming: Incoming) -> bool:
            def attempt() -> None:
                with self._connection.transaction(force_rollback=True):
                    Turn(self._connection, self._limits, places, probing=True).store([incoming], ())

            return not tells_data_fault(attempt)

        result = store_piecewise(flush, store, fits)
        result += others
        return result

    def _read(self, rows: Sequence[QuarantineEntry]) -> Incoming | None:
        """What a message holds by the reader of its topic; None: it has none."""
        topic, message = rows[0].topic, rebuild(rows)
        if topic.startswith(f"{PREFIX}/"):
            return read(message)
        if self._foreign is not None and self._foreign.reads(topic):
            return self._foreign.read(message, min(row.received_at for row in rows))
        return None
