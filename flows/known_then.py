"""A backtest as known then: what `vsc diagnose` would have found, had it run with these rules at every full hour.

At each run only what had arrived by then is known, of samples, events, stays in workshops and software versions. A day
is judged once the car was in contact after its end; what arrives late makes it judged again, and claims that are not
borne out are taken back. A fire counts from the run that found it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from features.stays import Stay
from flows.backtest import Backtest, Fire, episodes, fire
from flows.history import History
from flows.judging import Judged, Known, judge_due
from flows.observations import observations
from flows.place import Place
from rules.detector import RuleDetector
from rules.rule import Rule
from storage import arrivals, silences, software, telemetry
from storage.arrivals import Arrival
from storage.ledger import Arrivals
from tickets.silence import Silence, SilenceKind
from vehicle.finding import Evidence, Finding
from vehicle.software import timeline
from vehicle.vehicle import VehicleRecord

EVERY: Final = timedelta(hours=1)
"""From one run to the next."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def backtest_known(
    connection: psycopg.Connection[Any], history: History, rules: Sequence[Rule], report: Callable[[float], None]
) -> Backtest:
    """Judge every car as its samples arrived; `report` is told the share that is done.

    Args:
        connection: of the database that the history lies in; nothing is written.
        history: which cars and days.
        rules: that are switched on.
        report: is told the share that is done.
    """
    fires: list[Fire] = []
    samples = 0
    for number, vehicle in enumerate(history.vehicles, start=1):
        fires += _Car(connection, vehicle, history.span, rules).fires()
        samples += telemetry.count(connection, vehicle.vehicle_id, *_judged_span(history, vehicle))
        report(number / len(history.vehicles))
    return Backtest(tuple(fires), samples, history.vehicle_days, history.span)


def _judged_span(history: History, vehicle: VehicleRecord) -> tuple[datetime, datetime]:
    (start, end), (since, until) = history.source.days_of(vehicle), history.span
    return max(start, since), min(end, until)


@dataclass(slots=True)
class _Car:
    """One car on its way through the runs."""

    connection: psycopg.Connection[Any]
    vehicle: VehicleRecord
    span: tuple[datetime, datetime]
    """What may be judged."""
    rules: Sequence[Rule]
    place: Place = field(default_factory=Place)
    claims: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    """All that was told, each once, in the order of telling."""
    known: dict[int, tuple[datetime, bool]] = field(default_factory=dict)
    """By the claim's identity: when it was told, and whether it took another one back."""

    def fires(self) -> list[Fire]:
        """What was told of it, from beginnings to ends."""
        judges = [*map(RuleDetector, self.rules)]
        for at, arrived, stays, vehicle in self._runs():
            by = at
            judged = judge_due(
                self.place,
                Known(
                    vehicle,
                    arrived,
                    stays,
                    latest=min(at, self.span[1]),
                    observe=lambda day, by=by, stays=stays: observations(  # type: ignore[misc]
                        self.connection, self.vehicle, day, self.rules, stays, received_by=by
                    ),
                    told=lambda _: sorted(self.claims.values(), key=lambda one: one.observed_at),
                ),
                judges,
            )
            if judged is not None:
                self._tell(judged, at)
        return [self._fire(group) for group in episodes([*self.claims.values()])]

    def _runs(self) -> Iterator[tuple[datetime, Arrivals, list[Stay], VehicleRecord]]:
        """The runs before which something had become known: what had arrived, the stays and the software then known."""
        entries = arrivals.of_vehicle(self.connection, self.vehicle.vehicle_id)
        kept = silences.of_vehicle(self.connection, self.vehicle)
        workshop = [entry for entry in kept if entry.kind is SilenceKind.WORKSHOP]
        told = {_run(at) for entry in workshop for at in (entry.created_at, *(lift.at for lift in entry.lifts))}
        versions = software.entries(self.connection, self.vehicle.vehicle_id)
        told |= {_run(entered_at) for entered_at, _ in versions}
        runs = sorted({_run(entry.received_at) for entry in entries} | told)
        seen = _Seen(self.span[0])
        rest = iter(entries)
        following = next(rest, None)
        for at in runs:
            while following is not None and following.received_at <= at:
                seen.take(following)
                following = next(rest, None)
            if (arrived := seen.arrivals()) is not None:
                stays = [stay for entry in workshop if (stay := _stay_known(entry, at)) is not None]
                known = timeline(one for entered_at, one in versions if entered_at <= at)
                yield at, arrived, stays, replace(self.vehicle, software=known)
                if self.place.arrived == arrived.through:
                    seen.first_new_at = None

    def _tell(self, judged: Judged, at: datetime) -> None:
        news = [*((one, False) for one in judged.found), *((one, True) for one in judged.withdrawn)]
        for one, takes_back in sorted(news, key=lambda each: each[0].observed_at):
            key = (one.detector, one.failure_mode, one.observed_at, one.locations, one.cleared)
            if key not in self.claims:
                self.claims[key] = replace(one, evidence=_brief(one.evidence))
                self.known[id(self.claims[key])] = (at, takes_back)

    def _fire(self, group: Sequence[Finding]) -> Fire:
        known_at, taken_back = self.known[id(group[0])][0], self.known[id(group[-1])][1]
        return fire(group, known_at, taken_back=taken_back)


@dataclass(slots=True)
class _Seen:
    """What has arrived of a car so far, as `storage.ledger.arrivals` tells it; entries are numbered from 1."""

    since: datetime
    """What was sampled before counts as of then: it may be looked back at, and is not judged."""
    count: int = 0
    last_contact_at: datetime = _EPOCH
    first_at: datetime | None = None
    first_new_at: datetime | None = None

    def take(self, entry: Arrival) -> None:
        """Count one more."""
        self.count += 1
        self.last_contact_at = max(self.last_contact_at, entry.sent_at)
        if entry.first_at is not None:
            at = max(entry.first_at, self.since)
            if entry.holds_samples:
                self.first_at = min(self.first_at or at, at)
            self.first_new_at = min(self.first_new_at or at, at)

    def arrivals(self) -> Arrivals | None:
        """The same as a run reads it; None: no sample yet."""
        if self.first_at is None:
            return None
        return Arrivals(self.count, self.last_contact_at, self.first_at, self.first_new_at)


def _run(at: datetime) -> datetime:
    """The first run that knows what became known at a time."""
    return _EPOCH - (_EPOCH - at) // EVERY * EVERY


def _stay_known(entry: Silence, at: datetime) -> Stay | None:
    """The stay that an entry told of by a time."""
    if entry.created_at > at:
        return None
    return replace(entry, lifts=tuple(lift for lift in entry.lifts if lift.at <= at)).stay


def _brief(evidence: Evidence) -> Evidence:
    """What a fire shows of it, as all fires are held at a time."""
    return Evidence(evidence.summary, evidence.clears_when)
