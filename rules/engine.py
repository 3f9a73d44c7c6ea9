"""The event-time engine: one rule over one vehicle's observations, the same live and over history.

The engine folds observations in the order of their event times into a state of plain data. However a history is cut
into runs, the findings are the same. What is not observed changes nothing: silence neither fires nor clears a rule,
and a long one breaks every streak.
"""

import math
from datetime import timedelta
from typing import Final

from features.panel import Panel
from rules.claim import Change, claim
from rules.measures import measure
from rules.state import MICROSECOND, PartState, RuleState
from rules.threshold_rule import Rule
from vehicle.finding import Finding

LONGEST_SILENCE: Final = timedelta(days=7)
"""Observations further apart than this do not confirm each other (engineering estimate)."""


def judge(rule: Rule, vehicle_id: str, state: RuleState, panel: Panel) -> list[Finding]:
    """Fold a panel of the rule's feature into the state, and return what is to be told: news, not repetitions."""
    findings = []
    for at, row in zip(panel.times.astype("int64").tolist(), panel.values.tolist(), strict=True):
        before = state.rungs()
        for location, value in zip(panel.locations, row, strict=True):
            if not math.isnan(value):
                observe(rule, state.parts.setdefault(location, PartState()), at, value)
        change = _change(before, state.rungs())
        if change is not Change.NONE:
            findings.append(claim(rule, vehicle_id, state, change, at))
    return findings


def observe(rule: Rule, part: PartState, at: int, value: float) -> None:
    """Take one observation of one location (microseconds since 1970) into its state."""
    if part.recent and at - part.recent[-1][0] > LONGEST_SILENCE // MICROSECOND:
        part.streak, part.well_since = [], None
    part.remember(rule, at, value)
    measured = measure(rule, part)
    if math.isnan(measured):
        return
    part.measured = measured
    if rule.beyond(measured, rule.enter.threshold):
        part.extend_streak(rule, at, measured)
    else:
        part.streak = []
    if part.rung and _is_over(rule, part, at):
        part.rung, part.well_since = 0, None
    elif part.rung or _has_lasted(rule, part, at):
        part.rung = max(part.rung, _rung(rule, part))


def _change(before: dict[str, int], after: dict[str, int]) -> Change:
    if any(rung > before.get(location, 0) for location, rung in after.items()):
        return Change.WORSE
    return Change.ENDED if before and not after else Change.NONE


def _has_lasted(rule: Rule, part: PartState, at: int) -> bool:
    lasting = rule.enter.lasting // MICROSECOND
    return len(part.streak) >= rule.enter.observations and at - part.streak_since >= lasting


def _is_over(rule: Rule, part: PartState, at: int) -> bool:
    if rule.beyond(part.measured, rule.exit.threshold):
        part.well_since = None
        return False
    if part.well_since is None:
        part.well_since = at
    return at - part.well_since >= rule.exit.hold // MICROSECOND


def _rung(rule: Rule, part: PartState) -> int:
    """The highest rung that every value of a full streak lies beyond, 0 if the streak is not full."""
    if len(part.streak) < rule.enter.observations:
        return 0
    return sum(all(rule.beyond(value, rung.threshold) for _, value in part.streak) for rung in rule.ladder)
