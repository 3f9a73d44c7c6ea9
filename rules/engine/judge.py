"""Judges cars by one rule: evaluates its conditions over a batch, and drives each part's state machine by them.

However a history is cut into runs, the findings are the same, as long as each run is given the samples before it that
windows reach back to (`rules.engine.needs.margin`). What is not known changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rules.engine.absence import carry_awake
from rules.engine.carried import Carried
from rules.engine.chart import Chart
from rules.engine.claim import Change, News, claim
from rules.engine.clock import Times
from rules.engine.columns import Batch
from rules.engine.conditions import Conditions
from rules.engine.inhibition import FOREVER, Quiet, Span, inhibitors_first, quiet
from rules.engine.machine import Course, Step, advance
from rules.engine.memory import Memory, PartMemory
from rules.engine.needs import needs
from rules.engine.recall import remember
from rules.engine.surroundings import surround
from rules.rule import UNKNOWN, Rule
from vehicle.finding import Finding, Severity
from vehicle.vehicle import VehicleRecord


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule made of a batch."""

    findings: list[Finding]
    """News, by car and time."""
    holding: dict[int, list[Span]]
    """When the rule has held, by the place of the car."""


def judge_all(
    rules: Iterable[Rule],
    batch: Batch,
    memories: Mapping[str, Sequence[Memory]],
    carried: Mapping[str, Sequence[Carried]] = MappingProxyType({}),
) -> list[Finding]:
    """Take what is new in a batch into the memories, by rule one per car, and return all news.

    What is carried, by rule one per car, is what windows reach back to; without it the batch must hold that, too.
    """
    findings: list[Finding] = []
    holding: dict[str, dict[int, list[Span]]] = {}
    for rule in inhibitors_first(rules):
        judged = judge(rule, batch, memories[rule.rule_id], holding, carried.get(rule.rule_id))
        holding[rule.rule_id] = judged.holding
        findings += judged.findings
    return findings


def judge(
    rule: Rule,
    batch: Batch,
    memories: Sequence[Memory],
    inhibitors: Mapping[str, Mapping[int, Sequence[Span]]] = MappingProxyType({}),
    carried: Sequence[Carried] | None = None,
) -> Judgement:
    """Take what is new in a batch into the memories of one rule; `inhibitors` say when others have held."""
    if not any(applies(rule, vehicle) for vehicle in batch.vehicles):
        return Judgement([], {})
    around = surround(needs(rule), batch, memories, carried)
    clock = around.clock
    new = clock.times > np.array([memory.judged for memory in memories], np.int64)[clock.car]
    fresh = np.bincount(clock.car[new], minlength=len(memories)) > 0
    chosen = [car for car in np.flatnonzero(fresh).tolist() if applies(rule, batch.vehicles[car])]
    if not chosen and carried is None:
        return Judgement([], {})
    conditions = Conditions(rule, around)
    conditions.take_note()
    sick = np.bincount(clock.car[new & (conditions.level > 0).any(axis=1)], minlength=len(memories)) > 0
    findings: list[Finding] = []
    holding: dict[int, list[Span]] = {}
    for car in chosen:
        memory = memories[car]
        if sick[car] or memory.parts:
            news, holding[car] = _judge_car(conditions, car, memory, quiet(rule, car, inhibitors))
            findings += news
        places = clock.of(car)
        memory.repaired = max(_visits(conditions, car, memory))
        memory.first = memory.first if memory.first >= 0 else int(clock.times[places.start])
        memory.judged = int(clock.times[places.stop - 1])
        remember(rule, around.remembered.items(), car, memory)
        if carried is None:
            around.remember_doing(car)
    carry_awake(around)
    around.carry()
    return Judgement(findings, holding)


def applies(rule: Rule, vehicle: VehicleRecord) -> bool:
    """Whether a rule is for a car."""
    return all((getattr(vehicle, name) or UNKNOWN) in values for name, values in rule.applies_to)


def _judge_car(conditions: Conditions, car: int, memory: Memory, hushed: Quiet) -> tuple[list[Finding], list[Span]]:
    """Drive one car's state machines, and tell of their changes together, time by time; and when the rule held."""
    chart = Chart(conditions, car, memory)
    before = memory.rungs()
    begun = {name: memory.parts[name].begun for name in before}
    changes: dict[int, list[tuple[str, Step]]] = {at: [] for at in _released(chart, hushed)}
    repaired = _repaired(conditions, car, memory, chart.new)
    for part, name in enumerate(conditions.members):
        for step in _advance(conditions, part, memory, chart.new, repaired):
            changes.setdefault(step.at, []).append((name, step))
    findings, spans = [], [(-1, FOREVER)] if before else []
    for at in sorted(changes):
        begun |= {name: step.begun for name, step in changes[at]}
        after = before | {name: step.rung for name, step in changes[at]}
        after = {name: after[name] for name in conditions.members if after.get(name)}
        change = _told(conditions.rule, memory, _change(before, after), after, hushed=hushed.at(at))
        if change is not Change.NONE:
            began = {name: begun[name] for name in conditions.members if name in begun}
            findings.append(claim(chart, News(change, at, after, began)))
        if after and not before:
            spans.append((at, FOREVER))
        elif before and not after:
            spans[-1] = (spans[-1][0], at)
        before, begun = after, {name: begun[name] for name in after}
    chart.remember()
    return findings, spans


def _released(chart: Chart, hushed: Quiet) -> list[int]:
    """The first of the car's new samples after each end of an inhibition."""
    times = chart.clock.times[chart.new]
    places = np.searchsorted(times, np.array(hushed.ends, np.int64))
    return [int(times[place]) for place in places.tolist() if place < len(times)]


def _told(rule: Rule, memory: Memory, change: Change, rungs: Mapping[str, int], *, hushed: bool) -> Change:
    """What of a change is told; notes what is held back. Danger is never held back."""
    if change is Change.ENDED:
        told, memory.told, memory.withheld = memory.told, False, False
        return Change.ENDED if told else Change.NONE
    if change is Change.NONE and not (memory.withheld and rungs):
        return Change.NONE
    danger = rule.ladder[max(rungs.values()) - 1].severity is Severity.DANGER
    if hushed and not danger:
        memory.withheld = True
        return Change.NONE
    memory.told, memory.withheld = True, False
    return Change.WORSE


def _repaired(conditions: Conditions, car: int, memory: Memory, new: slice) -> Times:
    """The car's new samples that are the first after a workshop has seen to it."""
    times = conditions.around.clock.times[new]
    places = np.searchsorted(times, [at for at in _visits(conditions, car, memory) if at > memory.judged])
    return times[np.unique(places[places < len(times)])]


def _visits(conditions: Conditions, car: int, memory: Memory) -> list[int]:
    """When a workshop has seen to what the rule judges, the last time that is remembered first."""
    told = (at for one in conditions.visits for at in one.clock.times[one.clock.of(car)].tolist())
    return [memory.repaired, *told]


def _advance(conditions: Conditions, part: int, memory: Memory, new: slice, repaired: Times) -> list[Step]:
    """Drive one part's machine over the car's new samples, and forget it if nothing is left to remember."""
    name = conditions.members[part]
    known = memory.parts.get(name)
    level = conditions.level[new, part]
    if known is None and not (level > 0).any():
        return []
    state = memory.parts.setdefault(name, PartMemory())
    times = conditions.around.clock.times[new]
    course = Course(times, level, conditions.well[new, part], conditions.exposure[new, part], repaired)
    steps = advance(conditions.rule, state, course)
    if not (state.rung or state.held):
        del memory.parts[name]
    return steps


def _change(before: dict[str, int], after: dict[str, int]) -> Change:
    if any(rung > before.get(name, 0) for name, rung in after.items()):
        return Change.WORSE
    return Change.ENDED if before and not after else Change.NONE
