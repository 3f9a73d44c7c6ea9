"""Judges what arrives by the rules that need no whole day, seconds after it was stored: an early look, same engine.

`flows.diagnose` judges whole days, with all rules, and its place is what lasts. Here every car follows on from that
place; what is found is what the day will find again, and a claim that is made twice is stored once. So nothing is to be
remembered here that a crash could lose: after it a car is judged again from its place, and so it is when samples come
late, a stay in a workshop or software that rules ask for becomes known, the place has moved, or rules have changed. A
claim that is not borne out then is taken back.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import psycopg

from config.clock import Clock
from features.window import LOOKBACK
from flows.car_samples import side_by_side
from flows.entry_numbers import EntryNumbers
from flows.missing import name_missing
from flows.place import Place
from flows.raising import Raised, raise_alerts
from flows.remaining_life import with_life
from flows.watched_car import WatchedCar
from flows.withdrawal import withdrawn
from rules.engine.columns import Batch, batch_of
from rules.engine.judge import judge_all
from rules.engine.needs import margin, signals
from rules.live import live_rules
from rules.rule import Rule
from storage import alerts, arrivals, detectors, events, findings, ledger, silences, software, telemetry
from storage import vehicles as registry
from vehicle.finding import Finding
from vehicle.moment import microseconds

CARS_TOGETHER: Final = 250
"""So many cars are judged at once."""
SAMPLES_TOGETHER: Final = 200_000
"""At most so many are read at once of cars that begin from their place, if it is more than one car."""
MOST_CARS: Final = 2_000
"""So many are kept in memory, each with about a quarter of a megabyte; those heard longest ago go first."""
_RECENT_ENTRIES: Final = 10_000
"""Among so many of the latest entries one may still be on its way when watching begins."""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class WatchSummary:
    """What one pass did."""

    vehicles: int = 0
    """Cars with news."""
    again: int = 0
    """Of these, judged from their place on: at first, and when something has become known late."""
    samples: int = 0
    findings: int = 0
    """New ones."""
    held: int = 0
    """Of these, held back because something keeps them quiet."""
    alerts: int = 0
    """Opened or changed."""

    def plus(self, other: "WatchSummary") -> "WatchSummary":
        """Both together."""
        return WatchSummary(*map(sum, zip(astuple(self), astuple(other), strict=True)))


class Watch:
    """The cars that are being watched."""

    def __init__(self, rules: Sequence[Rule], clock: Clock, *, most_cars: int = MOST_CARS) -> None:
        """Watch from where whole days were judged, by those of the rules that can be judged live."""
        self._clock = clock
        self._most_cars = most_cars
        self.alerted: frozenset[str] = frozenset()
        """The cars whose alerts the last look has opened or changed."""
        self.take_rules(rules)

    def take_rules(self, rules: Sequence[Rule]) -> None:
        """Judge by these rules from now on, every car from its place."""
        self.rules = live_rules(rules)
        self._signals = signals(self.rules)
        self._context = max(LOOKBACK, margin(rules))
        self._asks_for_software = any(rule.software for rule in self.rules)
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a crash."""
        self._cars: dict[str, WatchedCar] = {}
        self._waiting: dict[str, datetime | None] = {}
        self._numbers: EntryNumbers | None = None
        self._silences: silences.Version | None = None
        self._software: int | None = None

    @property
    def is_behind(self) -> bool:
        """Whether there is more news than one look takes."""
        return bool(self._waiting)

    def look(self, connection: Connection) -> WatchSummary:
        """Judge what has arrived of some cars since the last time, and store what follows.

        Args:
            connection: in autocommit mode.

        Raises:
            psycopg.Error: as the database says; what has not been judged is judged the next time.
        """
        try:
            # One snapshot, so that no sample is read whose entry was not.
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                self._take_news(connection)
                cars, samples = self._read(connection, self._some(connection))
            again = [car for car in cars if not car.begun]
            found = self._judge(cars)
            raised = [self._store(connection, car, found.get(car.vehicle.vehicle_id, ()), again) for car in cars]
        except BaseException:
            # What cars remember may be ahead of what is stored.
            self.forget()
            raise
        names = (car.vehicle.vehicle_id for car in cars)
        self.alerted = frozenset(name for name, one in zip(names, raised, strict=True) if one.alerts)
        while len(self._cars) > self._most_cars:
            del self._cars[next(iter(self._cars))]
        return WatchSummary(
            len(cars),
            len(again),
            samples,
            sum(one.findings for one in raised),
            sum(one.held for one in raised),
            sum(one.alerts for one in raised),
        )

    def _take_news(self, connection: Connection) -> None:
        """Note which cars have news, and the earliest event time in it; None: all since their place."""
        now_s = time.monotonic()
        if self._numbers is None:
            latest = ledger.latest_numbers(connection, _RECENT_ENTRIES)
            self._numbers = EntryNumbers(min(latest, default=1) - 1)
            self._numbers.take(latest, now_s)
            self._waiting = dict.fromkeys(arrivals.heard_since_judged(connection, detectors.DIAGNOSIS))
            return
        entered = ledger.entered(connection, self._numbers.through, self._numbers.missing)
        self._numbers.take((one.number for one in entered), now_s)
        for one in entered:
            if one.first_at is not None:
                known = self._waiting.get(one.vehicle_id, one.first_at)
                self._waiting[one.vehicle_id] = None if known is None else min(known, one.first_at)

    def _some(self, connection: Connection) -> dict[str, datetime | None]:
        """As many of those that wait as are judged at once."""
        names = [*islice(self._waiting, CARS_TOGETHER)]
        anew = [name for name in names if self._waiting[name] is None or name not in self._cars]
        many = arrivals.samples_since_judged(connection, detectors.DIAGNOSIS, anew, self._context) if anew else {}
        some, together = dict[str, datetime | None](), 0
        for name in names:
            together += many.get(name, 0)
            if some and together > SAMPLES_TOGETHER:
                break
            some[name] = self._waiting.pop(name)
        return some

    def _read(self, connection: Connection, news: Mapping[str, datetime | None]) -> tuple[list[WatchedCar], int]:
        """The cars, each with its new samples and events, and how many samples that are."""
        versions = detectors.versions(connection, detectors.DIAGNOSIS, [*news])
        for name in self._changed(connection):
            del self._cars[name]
            self._waiting.setdefault(name, None)
        cars = {}
        for name, first_at in news.items():
            # Those heard lately stand last.
            car = self._cars.pop(name, None)
            late = car is not None and first_at is not None and microseconds(first_at) <= car.judged
            if car is None or first_at is None or late or versions.get(name) != car.version:
                car = self._at_place(connection, name, versions.get(name))
            if car is not None:
                self._cars[name] = cars[name] = car
        return [*cars.values()], self._add(connection, cars)

    def _changed(self, connection: Connection) -> set[str]:
        """The cars of which another stay in a workshop, or other software, has become known."""
        changed: set[str] = set()
        version = silences.version(connection)
        if version != self._silences:
            self._silences = version
            changed |= {name for name, car in self._cars.items() if silences.stays(connection, name) != car.stays}
        latest = software.latest_entry(connection) if self._asks_for_software else None
        if latest != self._software:
            self._software = latest
            changed |= software.changed(connection, [car.vehicle for car in self._cars.values()])
        return changed

    def _at_place(self, connection: Connection, vehicle_id: str, version: str | None) -> WatchedCar | None:
        """A car where whole days have left it; None: it is in no registry."""
        vehicle = registry.find(connection, vehicle_id)
        if vehicle is None:
            return None
        place = Place.of(detectors.find(connection, detectors.DIAGNOSIS, vehicle_id))
        stays = silences.stays(connection, vehicle_id)
        return WatchedCar.at_place(vehicle, version, place, self.rules, self._signals, stays)

    def _add(self, connection: Connection, cars: Mapping[str, WatchedCar]) -> int:
        after = {name: car.samples_after(self._context) for name, car in cars.items()}
        read = telemetry.read_since(connection, after, self._signals)
        happened = events.read_since(connection, {name: car.events_from for name, car in cars.items()})
        for name, car in cars.items():
            car.events = happened.get(name, [])
            if name in read:
                car.add(*read[name])
        return sum(len(times) for times, _ in read.values())

    def _judge(self, cars: Sequence[WatchedCar]) -> dict[str, list[Finding]]:
        """Judge what is new of cars; what is news, by car."""
        if not cars:
            return {}
        told = batch_of([(car.vehicle, car.occurrences()) for car in cars])
        batch = Batch(told.vehicles, {**side_by_side([car.samples for car in cars]), **told.columns})
        memories = {rule.rule_id: [car.memories[rule.rule_id] for car in cars] for rule in self.rules}
        carried = {rule.rule_id: [car.carried[rule.rule_id] for car in cars] for rule in self.rules}
        rules = {rule.rule_id: rule for rule in self.rules}
        found: dict[str, list[Finding]] = {}
        for finding in judge_all(self.rules, batch, memories, carried):
            found.setdefault(finding.vehicle_id, []).append(with_life(rules[finding.detector], finding))
        return found

    def _store(
        self, connection: Connection, car: WatchedCar, found: Sequence[Finding], again: Collection[WatchedCar]
    ) -> Raised:
        """Store what was found of a car, and take back what an earlier look has claimed and this one does not."""
        vehicle_id = car.vehicle.vehicle_id
        if not found and car not in again:
            car.move()
            return Raised()
        names = {rule.rule_id for rule in self.rules}
        with connection.transaction():
            alerts.lock_vehicle(connection, vehicle_id)
            if detectors.versions(connection, detectors.DIAGNOSIS, [vehicle_id]).get(vehicle_id) != car.version:
                # Whole days were judged meanwhile, perhaps with more samples: what they did not find must not be told.
                del self._cars[vehicle_id]
                self._waiting[vehicle_id] = None
                return Raised()
            told = findings.touched(connection, vehicle_id, car.since) if car in again else []
            told = [one for one in told if one.detector in names]
            found = [*found, *withdrawn(told, found, (car.since, car.end))]
            car.move()
            if not found:
                return Raised()
            missing = name_missing(connection, vehicle_id, found, car.stays)
            return raise_alerts(connection, car.vehicle, missing, car.since, self._clock.now())
