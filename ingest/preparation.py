"""What of storing a flush can be done before the database is asked: sorted out, judged, and laid out for COPY; pure.

The network's thread does it with every full flush while the writer waits for the database, so that the server always
has something to store. It rests on a guess, that none of the batches is known, which the writer checks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.flush import Work, latest_sent_at, make_work
from ingest.incoming import Incoming
from ingest.validation import TimeLimits
from storage.telemetry_copy import Rows, rows_of


@dataclass(frozen=True, slots=True)
class Prepared:
    """The work that a flush makes if the ledger knows nothing of it."""

    present: datetime
    """What the flush was judged by, and when it is said to have been received."""
    newest: datetime | None
    """The latest time of sending in it."""
    work: Work
    rows: Sequence[Rows]
    """Of the plan's tables that have any."""

    def is_of(self, flush: Sequence[Incoming]) -> bool:
        """Whether it was made of just these messages."""
        prepared = self.work.flush
        return len(prepared) == len(flush) and all(a is b for a, b in zip(prepared, flush, strict=True))


def present_of(flush: Sequence[Incoming], now: datetime, limits: TimeLimits) -> tuple[datetime, datetime | None]:
    """What to judge a flush by, and the latest time of sending in it."""
    newest = latest_sent_at(flush)
    if limits.by_sender and newest is not None:
        return max(now, newest), newest
    return now, newest


def prepare(flush: Sequence[Incoming], now: datetime, limits: TimeLimits) -> Prepared | None:
    """Do what can be done without the database; None for what cannot be laid out, which the writer takes to pieces."""
    present, newest = present_of(flush, now, limits)
    try:
        work = make_work(flush, {}, present, limits)
        rows = [rows_of(table, present) for table in work.plan.tables if len(table.times)]
        return Prepared(present, newest, work, [Rows(each.columns, list(each.pieces)) for each in rows])
    except (UnicodeEncodeError, RecursionError):
        return None
