"""A fleet's stored history as rules are judged over it: day by day, for some cars at a time, wherever it is stored.

Two sources: `flows.parquet_history` and `flows.database_history`.

Errors: `HistoryError`, whose message names what is missing or broken.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from features.panel import Observations
from features.table import ARRAYS, SIGNALS
from features.window import LOOKBACK
from flows.day_block import DayBlock, observe_cars
from rules.engine.columns import Batch, batch_of
from rules.engine.needs import margin, needs, signals
from rules.rule import Rule
from vehicle.moment import microseconds
from vehicle.vehicle import VehicleRecord

CARS_TOGETHER: Final = 75
"""So many cars' days are held at a time, about 25,000 samples a day."""
DAY: Final = timedelta(days=1)


class HistoryError(Exception):
    """There is no readable history."""


class Shelf(Protocol):
    """What is stored of some cars."""

    def samples(self, day: datetime, signals: Sequence[str]) -> DayBlock:
        """Their samples of a day.

        Raises:
            HistoryError: if they cannot be read.
        """

    def told(self, day: datetime) -> Sequence[Observations]:
        """Trouble codes that each of them told in a day, and when workshops gave it back until then."""


class Source(Protocol):
    """Where a history is stored."""

    @property
    def vehicles(self) -> Sequence[VehicleRecord]:
        """All cars of which there is something."""

    @property
    def days(self) -> Sequence[datetime]:
        """Midnights, UTC, in their order: the days of which there is something."""

    def shelf(self, vehicles: tuple[VehicleRecord, ...]) -> Shelf:
        """What is stored of some of the cars.

        Raises:
            HistoryError: if it cannot be read.
        """

    def days_of(self, vehicle: VehicleRecord) -> tuple[datetime, datetime]:
        """From when to when, half open, a car is judged."""


@dataclass(frozen=True, slots=True)
class History:
    """Some cars' days out of a source."""

    source: Source
    vehicles: tuple[VehicleRecord, ...]
    days: tuple[datetime, ...]
    """To be judged: midnights, UTC."""

    @classmethod
    def of(
        cls,
        source: Source,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Collection[str] | None = None,
    ) -> "History":
        """A source's history, or the part of it from a time on, of days that end until a time, of some cars.

        Raises:
            HistoryError: if that leaves nothing.
        """
        known = {one.vehicle_id for one in source.vehicles}
        if missing := sorted(set(vehicles or ()) - known):
            raise HistoryError(f"there is nothing of {', '.join(missing)}")
        chosen = tuple(one for one in source.vehicles if not vehicles or one.vehicle_id in vehicles)
        days = tuple(
            day for day in source.days if (since is None or day >= since) and (until is None or day + DAY <= until)
        )
        if not days:
            raise HistoryError("there is no whole day in that time")
        return cls(source, chosen, days)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From the first day to the end of the last."""
        return self.days[0], self.days[-1] + DAY

    @property
    def vehicle_days(self) -> int:
        """Cars times days, as far as each car is judged."""
        spans = [self.source.days_of(vehicle) for vehicle in self.vehicles]
        return sum(start <= day < end for start, end in spans for day in self.days)

    def chunks(self) -> Iterator[tuple[VehicleRecord, ...]]:
        """The cars, some at a time."""
        for first in range(0, len(self.vehicles), CARS_TOGETHER):
            yield self.vehicles[first : first + CARS_TOGETHER]

    def batches(self, vehicles: tuple[VehicleRecord, ...], rules: Sequence[Rule]) -> Iterator[tuple[Batch, int]]:
        """Day by day what rules need of some cars, and how many samples the day has.

        Raises:
            HistoryError: if a file cannot be read.
        """
        needed = signals(rules)
        observing = any(needs(rule).features for rule in rules)
        names = tuple(dict.fromkeys((*SIGNALS, *ARRAYS, *needed))) if observing else needed
        before = max(LOOKBACK, margin(rules))
        blocks: list[tuple[datetime, DayBlock]] = []
        shelf = self.source.shelf(vehicles)
        for day in self.source.days:
            if not self.days[0] - before < day + DAY <= self.days[-1] + DAY:
                continue
            today = shelf.samples(day, names)
            blocks = [(at, block) for at, block in blocks if at + DAY > day - before]
            blocks.append((day, today.without([name for name in ARRAYS if name not in needed])))
            if day < self.days[0]:
                continue
            since = DayBlock.joined([block for _, block in blocks]).since(microseconds(day - before))
            columns = {name: since.column(name) for name in needed}
            features = batch_of(observe_cars(since, today, vehicles, day) if observing else [])
            told = batch_of([*zip(vehicles, shelf.told(day), strict=True)])
            yield Batch(vehicles, {**columns, **features.columns, **told.columns}), len(today)
