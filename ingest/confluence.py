"""The fields of one car that arrive within a second flow together into one wide row; pure.

A row begins with its first field, bears that field's time, and closes when its second is over. It closes sooner if
one of its fields comes again, so that no value is overwritten, and if it or all open rows together grow too large.
Given the times of arrival the rows are always the same.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vehicle.batch import Event
from vehicle.foreign import ForeignMessage

ROW_LASTS: Final = timedelta(seconds=1)
MOST_ROWS: Final = 10_000
"""Cars with an open row."""
MOST_FIELDS: Final = 400
"""Of one row: more than either protocol has. Each event counts as one."""
MOST_ROW_BYTES: Final = 40_000
"""Payloads of one row: they fit into one batch of ours."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Payloads of all open rows."""

Source = TypeVar("Source")


@dataclass(slots=True, eq=False)
class Row(Generic[Source]):
    """What one car told within a second."""

    vehicle_id: str
    at: datetime
    """Arrival of the first message."""
    values: dict[str, float | NDArray[np.float64]] = field(default_factory=dict)
    """As of `ForeignMessage.values`."""
    extra: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    """Each once, however often it was told."""
    sources: list[Source] = field(default_factory=list)
    """What its messages came from, in their order."""
    bytes: int = 0

    def has_room(self, message: ForeignMessage, size: int) -> bool:
        """Whether the message can be added without overwriting anything."""
        told_again = message.values.keys() & self.values.keys() or message.extra.keys() & self.extra.keys()
        fields = len(self.values) + len(self.extra) + len(self.events)
        fields += len(message.values) + len(message.extra) + len(message.events)
        return not told_again and fields <= MOST_FIELDS and self.bytes + size <= MOST_ROW_BYTES

    def add(self, message: ForeignMessage, source: Source, size: int) -> None:
        """Take up what a message says."""
        self.values.update(message.values)
        self.extra.update(message.extra)
        self.events += [event for event in message.events if event not in self.events]
        self.sources.append(source)
        self.bytes += size


class Confluence(Generic[Source]):
    """The open rows, the oldest first."""

    def __init__(self, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._rows: OrderedDict[str, Row[Source]] = OrderedDict()
        self._bytes = 0

    def add(
        self, vehicle_id: str, message: ForeignMessage, at: datetime, source: Source, size: int
    ) -> Iterator[Row[Source]]:
        """Add what a car has told at `at`, `size` bytes long, and give the rows that close by it."""
        yield from self.close(at)
        row = self._rows.get(vehicle_id)
        if row is not None and not row.has_room(message, size):
            yield self._take(vehicle_id)
            row = None
        if row is None:
            row = self._rows[vehicle_id] = Row(vehicle_id, at)
        row.add(message, source, size)
        self._bytes += size
        while len(self._rows) > self._most_rows or self._bytes > self._most_bytes:
            yield self._take(next(iter(self._rows)))

    def close(self, now: datetime) -> Iterator[Row[Source]]:
        """The rows whose second is over, or lies ahead because the clock was set back."""
        while self._rows:
            oldest = next(iter(self._rows.values()))
            if oldest.at <= now < oldest.at + ROW_LASTS:
                return
            yield self._take(oldest.vehicle_id)

    def close_all(self) -> Iterator[Row[Source]]:
        """Every open row, because nothing more is to come."""
        while self._rows:
            yield self._take(next(iter(self._rows)))

    def open_rows(self) -> Mapping[str, Row[Source]]:
        """The rows that wait for more, by vehicle."""
        return self._rows

    def _take(self, vehicle_id: str) -> Row[Source]:
        row = self._rows.pop(vehicle_id)
        self._bytes -= row.bytes
        return row
