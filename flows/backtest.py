"""Runs rules over a stored history, as they would have run had they been switched on then.

This is the final view: every sample is known, and what a rule finds counts from its event time. `flows.known_then` has
the other one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flows.history import History
from rules.engine.judge import judge_all
from rules.engine.memory import Memory
from rules.rule import Rule
from vehicle.finding import Finding

_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Fire:
    """One time that a rule fired on one car: from its first word to its last."""

    rule_id: str
    vehicle_id: str
    started_at: datetime
    """Event time, as `ended_at`."""
    ended_at: datetime | None
    """None: it still held at the end."""
    severity: str
    """The worst."""
    locations: tuple[str, ...]
    summary: str
    """Of the first word."""
    known_at: datetime | None = None
    """As known then: when it was found out; None in the final view."""
    taken_back: bool = False
    """As known then: what came later did not bear it out."""

    @property
    def seen_at(self) -> datetime:
        """When an engineer would have seen it: when it was found out, and in the final view its event time."""
        return self.known_at or self.started_at


@dataclass(frozen=True, slots=True)
class Backtest:
    """What rules found in a history."""

    fires: tuple[Fire, ...]
    samples: int
    vehicle_days: int
    """Cars times days, whether they said anything or not."""
    span: tuple[datetime, datetime]
    """What was judged, half open: from the first day to the end of the last."""

    @property
    def seen_span(self) -> tuple[datetime, datetime]:
        """When its fires were seen: some, as known then, only after the last day."""
        start, end = self.span
        return start, max([end, *(fire.seen_at + _INSTANT for fire in self.fires)])


def backtest(history: History, rules: Sequence[Rule], report: Callable[[float], None]) -> Backtest:
    """Judge every car's days, in their order; `report` is told the share that is done.

    Raises:
        HistoryError: if a file cannot be read.
    """
    findings: list[Finding] = []
    samples = done = 0
    for vehicles in history.chunks():
        memories = {rule.rule_id: [Memory() for _ in vehicles] for rule in rules}
        for batch, count in history.batches(vehicles, rules):
            findings += judge_all(rules, batch, memories)
            samples += count
        done += len(vehicles)
        report(done / len(history.vehicles))
    return Backtest(fires(findings), samples, history.vehicle_days, history.span)


def fires(findings: Sequence[Finding]) -> tuple[Fire, ...]:
    """The findings of each rule and car together, from one that tells of a beginning to one that tells of the end."""
    ordered = sorted(findings, key=lambda one: one.observed_at)
    return tuple(fire(group) for group in episodes(ordered))


def episodes(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings in the order in which they were told, cut into groups of one rule and car from beginning to end."""
    groups: list[list[Finding]] = []
    going_on: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        key = (finding.detector, finding.vehicle_id)
        if key not in going_on:
            if finding.cleared:
                continue  # the end, told anew, of what has ended already
            groups.append([])
            going_on[key] = groups[-1]
        going_on[key].append(finding)
        if finding.cleared:
            del going_on[key]
    return groups


def fire(group: Sequence[Finding], known_at: datetime | None = None, *, taken_back: bool = False) -> Fire:
    """One episode in short."""
    first, last = group[0], group[-1]
    return Fire(
        rule_id=first.detector,
        vehicle_id=first.vehicle_id,
        started_at=first.observed_at,
        ended_at=last.observed_at if last.cleared else None,
        severity=max(one.severity for one in group).name.lower(),
        locations=tuple(dict.fromkeys(name for one in group for name in one.locations)),
        summary=first.evidence.summary,
        known_at=known_at,
        taken_back=taken_back,
    )
