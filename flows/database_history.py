"""History in the stack's database, as `vsc diagnose` judges it: each car from its first sample to its last contact.

What a car told during its stays in workshops is left out, as live.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import psycopg

from features.panel import Observations
from features.stays import Stay, earliest_needed, events_outside, outside
from flows.day_block import DayBlock
from flows.history import DAY, HistoryError
from flows.judging import midnight
from rules.engine.clock import Clock
from rules.told import codes, seen_to
from storage import arrivals, events, silences
from storage import vehicles as registry
from storage.telemetry_columns import read_columns
from vehicle.signals import CATALOGUE
from vehicle.vehicle import VehicleRecord


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """A database."""

    connection: psycopg.Connection[Any]
    vehicles: tuple[VehicleRecord, ...]
    days: tuple[datetime, ...]
    spans: Mapping[str, tuple[datetime, datetime]]
    """By car, from the midnight before its first sample to the one before its last contact."""

    def shelf(self, vehicles: tuple[VehicleRecord, ...]) -> "DatabaseShelf":
        """What is stored of some cars."""
        stays = {one.vehicle_id: silences.stays(self.connection, one.vehicle_id) for one in vehicles}
        return DatabaseShelf(self, vehicles, stays)

    def days_of(self, vehicle: VehicleRecord) -> tuple[datetime, datetime]:
        """From its first sample's day to the day of its last contact, which is not over."""
        return self.spans[vehicle.vehicle_id]


@dataclass(frozen=True, slots=True)
class DatabaseShelf:
    """Some of its cars."""

    source: DatabaseSource
    vehicles: tuple[VehicleRecord, ...]
    stays: Mapping[str, Sequence[Stay]]

    def samples(self, day: datetime, signals: Sequence[str]) -> DayBlock:
        """Their samples of a day, of each car as far as it is judged."""
        ids = [vehicle.vehicle_id for vehicle in self.vehicles]
        asked = self._judged(day)
        read = read_columns(self.source.connection, asked, day, day + DAY, signals)
        car = np.array([ids.index(name) for name in asked], np.intp)[read.car]
        starts = np.searchsorted(car, np.arange(len(ids) + 1))
        shown = {name: CATALOGUE[name].quantised(values) for name, values in read.values.items()}
        block = DayBlock(Clock(read.times, starts), shown)
        kept = np.ones(len(block), dtype=bool)
        for place, vehicle_id in enumerate(ids):
            if stays := self.stays[vehicle_id]:
                own = block.clock.of(place)
                kept[own] = outside(read.times[own].view("datetime64[us]"), stays)
        return block if kept.all() else block.at(kept)

    def told(self, day: datetime) -> list[Observations]:
        """Trouble codes that each of them told in a day, and when workshops gave it back until then."""
        end, asked = day + DAY, self._judged(day)
        earliest = min((earliest_needed(self.stays[name], day, end) for name in asked), default=day)
        happened = events.read_codes(self.source.connection, asked, earliest, end)
        return [
            {
                **codes(events_outside(happened.get(one.vehicle_id, ()), self.stays[one.vehicle_id], (day, end))),
                **seen_to(self.stays[one.vehicle_id], end),
            }
            for one in self.vehicles
        ]

    def _judged(self, day: datetime) -> list[str]:
        """The cars of which a day is judged."""
        spans = self.source.spans
        return [name for one in self.vehicles for name in [one.vehicle_id] if spans[name][0] <= day < spans[name][1]]


def open_database(connection: psycopg.Connection[Any], now: datetime) -> DatabaseSource:
    """The history in a database, until a time.

    Raises:
        HistoryError: if no car has a whole day of it.
    """
    spans = {
        vehicle_id: (midnight(first_at), midnight(min(last_contact_at, now)))
        for vehicle_id, (first_at, last_contact_at) in arrivals.sample_spans(connection).items()
    }
    vehicles = tuple(
        one
        for one in registry.list_vehicles(connection)
        if one.vehicle_id in spans and spans[one.vehicle_id][0] < spans[one.vehicle_id][1]
    )
    if not vehicles:
        raise HistoryError("the database has not one whole day of any car yet")
    start = min(spans[one.vehicle_id][0] for one in vehicles)
    end = max(spans[one.vehicle_id][1] for one in vehicles)
    days = tuple(start + number * DAY for number in range((end - start) // DAY))
    return DatabaseSource(connection, vehicles, days, spans)
