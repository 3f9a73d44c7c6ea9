"""Judges one car's days as they become due: each once the car has been in contact after its end.

When samples of a judged day arrive, or it becomes known that it was spent in a workshop, the car goes back to a state
from before that day, and is judged again from there; claims that are not borne out any more are taken back. Where the
samples are read from, and what becomes of the findings, is the caller's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from diagnostics.prognosis import remaining_life
from features.panel import Observations
from features.stays import Stay, first_change
from flows.observations import DAY
from flows.place import Place
from rules.detector import RuleBook, RuleDetector
from rules.rule import Rule, Scale
from storage.ledger import Arrivals
from vehicle.finding import Finding
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
    told: Callable[[], Sequence[Finding]]
    """All that was claimed of the car before, in the order of event time."""


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
    changed = [at for at in (arrivals.first_new_at, first_change(place.stays, known.stays)) if at is not None]
    if judged_until and changed and min(changed) < judged_until:
        place.go_back(min(changed))
    start = place.until or midnight(arrivals.first_at)
    end = max(midnight(min(known.latest, arrivals.last_contact_at)), judged_until or start)
    if start >= end:
        return None
    found: list[Finding] = []
    for day in _days(start, end):
        place.mark(day)
        found += _judge_day(place, known.vehicle, known.observe(day), judges)
    again = judged_until is not None and start < judged_until
    withdrawn = _withdrawn(known.told(), found, (start, end)) if again else []
    place.arrived, place.until, place.stays = arrivals.through, end, list(known.stays)
    return Judged(start, end, found, withdrawn, again)


def _judge_day(
    place: Place, vehicle: VehicleRecord, observed: Observations, judges: Sequence[Detector]
) -> list[Finding]:
    rules = {judge.name: judge.rule for judge in judges if isinstance(judge, RuleDetector)}
    states, found = RuleBook(tuple(rules.values())).evaluate(vehicle, observed, place.states)
    place.states |= states
    found = [_with_life(rules[finding.detector], finding) for finding in found]
    for judge in judges:
        if judge.name not in rules:
            place.states[judge.name], news = judge.evaluate(vehicle, observed, place.states.get(judge.name))
            found += news
    return found


def _with_life(rule: Rule, finding: Finding) -> Finding:
    """A rule's finding with the remaining useful life, where the rule says what functional failure is."""
    limit = rule.limit
    if limit is None or finding.cleared:
        return finding
    course = finding.evidence.traces[0]
    life = remaining_life(course.times, course.values, limit.value, logarithmic=limit.scale is Scale.LOGARITHMIC)
    return replace(finding, remaining_useful_life=life)


def _withdrawn(claimed: Sequence[Finding], found: Sequence[Finding], span: tuple[datetime, datetime]) -> list[Finding]:
    """The end of every claim that does not hold any more with what has become known late."""
    start, end = span
    told = {one.detector: one for one in claimed}
    true = {one.detector: one for one in (*(one for one in claimed if one.observed_at < start), *found)}
    return [
        _taken_back(one, end)
        for name, one in told.items()
        if not one.cleared and not _is_borne_out(one, true.get(name))
    ]


def _is_borne_out(claim: Finding, latest: Finding | None) -> bool:
    """Whether a claim still holds, or has an end of its own, going by the latest that its detector says now."""
    return latest is not None and (not latest.cleared or latest.observed_at > claim.observed_at)


def _taken_back(finding: Finding, at: datetime) -> Finding:
    summary = f"What has become known since does not bear this out: {finding.evidence.summary}"
    evidence = replace(finding.evidence, summary=summary)
    return replace(finding, cleared=True, observed_at=at, window_end=at, evidence=evidence)


def midnight(at: datetime) -> datetime:
    """The one before a time, or it, UTC."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += DAY
