"""Runs rules over a stored history, as they would have run had they been switched on then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flows.history import History
from rules.engine.judge import judge_all
from rules.engine.memory import Memory
from rules.rule import Rule
from vehicle.finding import Finding


@dataclass(frozen=True, slots=True)
class Fire:
    """One time that a rule fired on one car: from its first word to its last."""

    rule_id: str
    vehicle_id: str
    started_at: datetime
    ended_at: datetime | None
    """None: it still held at the end."""
    severity: str
    """The worst."""
    locations: tuple[str, ...]
    summary: str
    """Of the first word."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What rules found in a history."""

    fires: tuple[Fire, ...]
    samples: int
    vehicle_days: int
    """Cars times days, whether they said anything or not."""


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
    return Backtest(fires(findings), samples, len(history.vehicles) * len(history.days))


def fires(findings: Sequence[Finding]) -> tuple[Fire, ...]:
    """The findings of each rule and car together, from one that tells of a beginning to one that tells of the end."""
    groups: list[list[Finding]] = []
    going_on: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda one: one.observed_at):
        key = (finding.detector, finding.vehicle_id)
        if key not in going_on:
            groups.append([])
            going_on[key] = groups[-1]
        going_on[key].append(finding)
        if finding.cleared:
            del going_on[key]
    return tuple(_fire(group) for group in groups)


def _fire(group: Sequence[Finding]) -> Fire:
    first, last = group[0], group[-1]
    return Fire(
        rule_id=first.detector,
        vehicle_id=first.vehicle_id,
        started_at=first.observed_at,
        ended_at=last.observed_at if last.cleared else None,
        severity=max(one.severity for one in group).name.lower(),
        locations=tuple(dict.fromkeys(name for one in group for name in one.locations)),
        summary=first.evidence.summary,
    )
