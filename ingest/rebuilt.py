"""Messages as they arrived, of the rows that quarantine keeps of them; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from agent.connection import Message
from ingest.incoming import Content, Incoming
from ingest.validation import CLOCK_SET
from storage.ledger import BatchKey
from storage.quarantine import QuarantineEntry
from storage.replacement import StoredBatch
from vehicle.batch import EventBatch, TelemetryBatch
from vehicle.moment import instant

_ROW: Final = timedelta(seconds=1)
"""What a foreign car tells within it is one row; its events without a time of their own lie in it."""


def rebuild(rows: Sequence[QuarantineEntry]) -> Message:
    """The message as it arrived, of the rows that it has in quarantine."""
    named = next((row for row in rows if row.boot is not None), rows[0])
    return Message(
        topic=named.topic,
        payload=named.payload,
        qos=1,
        packet_id=0,
        content_type=named.content_type or None,
        user={} if named.boot is None else {"boot": named.boot, "seq": str(named.seq)},
    )


def set_clock(content: Content, offset: timedelta) -> Content:
    """The same, with `offset` added to the times of a clock that was not set."""

    def right(at: datetime) -> datetime:
        return at + offset if at < CLOCK_SET else at

    if isinstance(content, EventBatch):
        shown = tuple(replace(event, at=right(event.at)) for event in content.events)
        return replace(content, sent_at=right(content.sent_at), events=shown)
    if isinstance(content, TelemetryBatch):
        times = np.where(content.times < instant(CLOCK_SET), content.times + np.timedelta64(offset), content.times)
        if (np.diff(times) > np.timedelta64(0)).all():
            return replace(content, sent_at=right(content.sent_at), times=times)
    return content


def marked(incoming: Incoming, before: Mapping[BatchKey, StoredBatch]) -> Incoming:
    """A batch that ingest made of what a foreign car told: its payload does not say that the times are of arrival."""
    known = before.get(incoming.key) if incoming.key is not None else None
    content = incoming.content
    if known is None or not known.time_received or known.sha256 != incoming.sha256:
        return incoming
    if isinstance(content, EventBatch):
        happened = tuple(replace(e, time_received=abs(e.at - content.sent_at) < _ROW) for e in content.events)
        return replace(incoming, content=replace(content, events=happened, time_received=True))
    if isinstance(content, TelemetryBatch):
        return replace(incoming, content=replace(content, time_received=True))
    return incoming
