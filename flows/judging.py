"""Judges one car's days as they become due: each once the car has been in contact after its end.

When samples of a judged day arrive, or it becomes known that it was spent in a workshop, or with other software than
was known and rules ask for that, the car goes back to a state from before that day, and is judged again from there;
claims that are not borne out any more are taken back. Where the samples are read from, and what becomes of the
findings, is the caller's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from features.panel import Observations
from features.stays import Stay, first_change
from flows.observations import DAY
from flows.place import Place
from flows.remaining_life import with_life
from flows.withdrawal import withdrawn
from rules.detector import RuleBook, RuleDetector
from storage.ledger import Arrivals
from vehicle.finding import Finding
from vehicle.software import first_difference
from vehicle.vehicle import VehicleRecord


class Detector(Protocol):
    """What judges observations: a rule or a model."""

    @property
    def name(self) -> str:
        """Unique; its findings carry it."""

    def evaluate(self, vehicle: VehicleRecord, observations: Observations, state: Any) -> tuple[Any, list[Finding]]:
        """The state after these observations as JSON values (None: none yet), and what is news in them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a car when its days are judged."""

    vehicle: VehicleRecord
    arrivals: Arrivals
    stays: Sequence[Stay]
    latest: datetime
    """No day that ends later is judged."""
    observe: Callable[[datetime], Observations]
    """The observations of the day that begins at a midnight."""
    told: Callable[[datetime], Sequence[Finding]]
    """All that was claimed of the car before, in the order of event time, if any of it was observed since a time."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of judging a car's days, [start, end)."""

    start: datetime
    end: datetime
    found: Sequence[Finding]
    """Some of it may have been found before."""
    withdrawn: Sequence[Finding]
    """The end of what was claimed before and is not borne out."""
    again: bool
    """Some of the days had been judged before."""


def judge_due(place: Place, known: Known, judges: Sequence[Detector]) -> Judged | None:
    """Judge the days of one car that are due, and move its place to their end; None: no day is."""
    arrivals, judged_until = known.arrivals, place.until
    changed = _first_changed(place, known, judges)
    if judged_until and changed and changed < judged_until:
        place.go_back(changed)
    start = place.until or midnight(arrivals.first_at)
    end = max(midnight(min(known.latest, arrivals.last_contact_at)), judged_until or start)
    if start >= end:
        return None
    found: list[Finding] = []
    for day in _days(start, end):
        place.mark(day)
        found += _judge_day(place, known.vehicle, known.observe(day), judges)
    again = judged_until is not None and start < judged_until
    taken_back = withdrawn(known.told(start), found, (start, end))
    place.arrived, place.until = arrivals.through, end
    place.stays, place.software = list(known.stays), list(known.vehicle.software)
    return Judged(start, end, found, taken_back, again)


def _first_changed(place: Place, known: Known, judges: Sequence[Detector]) -> datetime | None:
    """The earliest time of which more, or something else, is known than was taken into account; None: of none."""
    changed = [known.arrivals.first_new_at, first_change(place.stays, known.stays)]
    if any(judge.rule.software for judge in judges if isinstance(judge, RuleDetector)):
        changed.append(first_difference(place.software, known.vehicle.software))
    return min((at for at in changed if at is not None), default=None)


def _judge_day(
    place: Place, vehicle: VehicleRecord, observed: Observations, judges: Sequence[Detector]
) -> list[Finding]:
    rules = {judge.name: judge.rule for judge in judges if isinstance(judge, RuleDetector)}
    states, found = RuleBook(tuple(rules.values())).evaluate(vehicle, observed, place.states)
    place.states |= states
    found = [with_life(rules[finding.detector], finding) for finding in found]
    for judge in judges:
        if judge.name not in rules:
            place.states[judge.name], news = judge.evaluate(vehicle, observed, place.states.get(judge.name))
            found += news
    return found


def midnight(at: datetime) -> datetime:
    """The one before a time, or it, UTC."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += DAY
