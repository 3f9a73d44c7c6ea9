"""Judges cars by one rule: evaluates its conditions over a batch, and drives each part's state machine by them.

However a history is cut into runs, the findings are the same, as long as each run is given the samples before it that
windows reach back to (`rules.engine.needs.margin`). What is not known changes nothing.
"""

from collections.abc import Sequence

import numpy as np

from rules.engine.chart import Chart
from rules.engine.claim import Change, News, claim
from rules.engine.columns import Batch
from rules.engine.conditions import Conditions
from rules.engine.machine import Course, Step, advance
from rules.engine.memory import Memory, PartMemory
from rules.engine.needs import needs
from rules.engine.recall import remember
from rules.engine.surroundings import surround
from rules.rule import Rule
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord


def judge(rule: Rule, batch: Batch, memories: Sequence[Memory]) -> list[Finding]:
    """Take what is new in a batch into the memories, one per car, and return what is to be told: news.

    Findings are by car and time.
    """
    around = surround(needs(rule), batch, memories)
    clock = around.clock
    new = clock.times > np.array([memory.judged for memory in memories], np.int64)[clock.car]
    fresh = np.bincount(clock.car[new], minlength=len(memories)) > 0
    chosen = [car for car in np.flatnonzero(fresh).tolist() if applies(rule, batch.vehicles[car])]
    if not chosen:
        return []
    conditions = Conditions(rule, around)
    sick = np.bincount(clock.car[new & (conditions.level > 0).any(axis=1)], minlength=len(memories)) > 0
    findings: list[Finding] = []
    for car in chosen:
        memory = memories[car]
        if sick[car] or memory.parts:
            findings += _judge_car(conditions, car, memory)
        places = clock.of(car)
        memory.first = memory.first if memory.first >= 0 else int(clock.times[places.start])
        memory.judged = int(clock.times[places.stop - 1])
        remember(rule, around.remembered.items(), car, memory)
        memory.doing = around.doing.remembered(car) if around.doing else None
    return findings


def applies(rule: Rule, vehicle: VehicleRecord) -> bool:
    """Whether a rule is for a car."""
    return all(getattr(vehicle, name) in values for name, values in rule.applies_to)


def _judge_car(conditions: Conditions, car: int, memory: Memory) -> list[Finding]:
    """Drive one car's state machines, and tell of their changes together, time by time."""
    chart = Chart(conditions, car, memory)
    changes: dict[int, list[tuple[str, Step]]] = {}
    before = memory.rungs()
    begun = {name: memory.parts[name].begun for name in before}
    for part, name in enumerate(conditions.members):
        for step in _advance(conditions, part, memory, chart.new):
            changes.setdefault(step.at, []).append((name, step))
    findings = []
    for at in sorted(changes):
        begun |= {name: step.begun for name, step in changes[at]}
        after = before | {name: step.rung for name, step in changes[at]}
        after = {name: after[name] for name in conditions.members if after.get(name)}
        change = _change(before, after)
        if change is not Change.NONE:
            findings.append(claim(chart, News(change, at, after, begun)))
        before, begun = after, {name: begun[name] for name in after}
    chart.remember()
    return findings


def _advance(conditions: Conditions, part: int, memory: Memory, new: slice) -> list[Step]:
    """Drive one part's machine over the car's new samples, and forget it if nothing is left to remember."""
    name = conditions.members[part]
    known = memory.parts.get(name)
    level = conditions.level[new, part]
    if known is None and not (level > 0).any():
        return []
    state = memory.parts.setdefault(name, PartMemory())
    times = conditions.around.clock.times[new]
    course = Course(times, level, conditions.well[new, part], conditions.exposure[new, part])
    steps = advance(conditions.rule, state, course)
    if not (state.rung or state.held):
        del memory.parts[name]
    return steps


def _change(before: dict[str, int], after: dict[str, int]) -> Change:
    if any(rung > before.get(name, 0) for name, rung in after.items()):
        return Change.WORSE
    return Change.ENDED if before and not after else Change.NONE
