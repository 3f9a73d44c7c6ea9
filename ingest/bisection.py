"""A flush that the database cannot hold, halved down to the message, and the message down to the sample or event.

Errors: psycopg's own, but those that the data cause.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol, Self, TypeVar

import numpy as np
import psycopg
import structlog

from ingest.flush import Refusal
from ingest.incoming import Incoming
from vehicle.batch import EventBatch, TelemetryBatch
from vehicle.rejection import Rejection, RejectionReason

MOST_PROBES: Final = 200
"""Attempts to store a part of one message; one that needs more has too little that is good to be worth them."""
_MOST_NAMED: Final = 10
"""Samples that a rejection names one by one."""
_DATA: Final = frozenset({"22", "54"})
"""SQLSTATE classes: data exceptions, and what is too long or too deep."""
_CHECK_VIOLATION: Final = "23514"

log = structlog.get_logger()


class Sum(Protocol):
    """What storing gives, of which there is one for each transaction."""

    def __iadd__(self, other: Self) -> Self:
        """Add what another transaction has given."""


S = TypeVar("S", bound=Sum)
Store = Callable[[Sequence[Incoming], Sequence[Refusal]], S]
"""Stores messages, and refuses parts of them besides, in one transaction."""


def store_piecewise(flush: Sequence[Incoming], store: Store[S], fits: Callable[[Incoming], bool]) -> S:
    """Store a flush, in pieces if need be; what the database cannot hold is refused.

    Args:
        flush: In the order of arrival.
        store: Leaves nothing behind when it raises.
        fits: Whether a message can be stored; leaves nothing behind.
    """
    try:
        return store(flush, ())
    except (psycopg.Error, UnicodeEncodeError, RecursionError) as error:
        if not _is_data(error):
            raise
        if len(flush) > 1:
            middle = len(flush) // 2
            halves = (store_piecewise(half, store, fits) for half in (flush[:middle], flush[middle:]))
            return functools.reduce(operator.iadd, halves)
        if isinstance(flush[0].content, Rejection):
            raise
        return _store_in_part(flush[0], store, fits, _name(error))


def tells_data_fault(attempt: Callable[[], object]) -> bool:
    """Whether an attempt to store fails because of what it stores."""
    try:
        attempt()
    except (psycopg.Error, UnicodeEncodeError, RecursionError) as error:
        if not _is_data(error):
            raise
        return True
    return False


def part(content: TelemetryBatch | EventBatch, indices: Sequence[int]) -> TelemetryBatch | EventBatch:
    """The batch with only these of its samples or events."""
    if isinstance(content, EventBatch):
        return replace(content, events=tuple(content.events[i] for i in indices))
    chosen = np.array(indices, np.intp)
    return replace(
        content,
        times=content.times[chosen],
        columns={name: values[chosen] if values.size else values for name, values in content.columns.items()},
        extra={name: [values[i] for i in indices] for name, values in content.extra.items()},
    )


def find_misfits(count: int, fits: Callable[[Sequence[int]], bool]) -> list[int] | None:
    """Which of `count` things do not fit, by halving; None if that would take too many attempts."""
    misfits: list[int] = []
    doubtful = [range(count)]
    for _ in range(MOST_PROBES):
        if not doubtful:
            return misfits
        these = doubtful.pop()
        if fits(these):
            continue
        if len(these) == 1:
            misfits.append(these[0])
        else:
            middle = len(these) // 2
            doubtful += [these[middle:], these[:middle]]
    return None


def _store_in_part(incoming: Incoming, store: Store[S], fits: Callable[[Incoming], bool], error: str) -> S:
    kept, rejection = _what_fits(incoming, fits, error)
    log.warning("message_refused_by_database", what=rejection.detail)
    if kept is None:
        return store([incoming.refused(rejection)], ())
    return store([kept], [(incoming, rejection)])


def _what_fits(incoming: Incoming, fits: Callable[[Incoming], bool], error: str) -> tuple[Incoming | None, Rejection]:
    """The message with those of its samples or events that can be stored, if any, and what is wrong with the others."""
    batch = incoming.content
    if isinstance(batch, TelemetryBatch | EventBatch):
        what, count = ("events", len(batch.events)) if isinstance(batch, EventBatch) else ("samples", len(batch.times))
        misfits = find_misfits(count, lambda these: fits(replace(incoming, content=part(batch, these))))
        if misfits is not None and 0 < len(misfits) < count:
            kept = replace(incoming, content=part(batch, sorted(set(range(count)) - set(misfits))))
            named = ", ".join(map(str, misfits[:_MOST_NAMED])) + (", ..." if len(misfits) > _MOST_NAMED else "")
            detail = f"{len(misfits)} of {count} {what}, counted from 0: {named}: {error}"
            if fits(kept):
                return kept, Rejection(RejectionReason.UNSTORABLE, detail)
    return None, Rejection(RejectionReason.UNSTORABLE, error)


def _is_data(error: Exception) -> bool:
    """Whether it is what we store that the database cannot hold."""
    if not isinstance(error, psycopg.Error):
        return True
    state = error.sqlstate or ""
    return isinstance(error, psycopg.DataError) or state[:2] in _DATA or state == _CHECK_VIOLATION


def _name(error: Exception) -> str:
    """The kind of error, never its text, which may repeat the data."""
    constraint = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
    return f"the database cannot hold it: {type(error).__name__}{f' of {constraint}' if constraint else ''}"
