"""What a rule says when it has something to say: a finding with the evidence to judge it."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from statistics import median
from typing import Final

import numpy as np

from features.table import FEATURES
from rules.state import MICROSECOND, PartState, RuleState
from rules.threshold_rule import Direction, Measure, Rule, Rung
from vehicle.finding import Evidence, Finding, Trace

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Change(Enum):
    """What one time's observations did to a rule on one vehicle."""

    NONE = "none"
    WORSE = "worse"
    """It holds, at another location too, or higher on its ladder."""
    ENDED = "ended"
    """It holds nowhere any more."""


def claim(rule: Rule, vehicle_id: str, state: RuleState, change: Change, at: int) -> Finding:
    """The finding that a rule makes of its state right after a change."""
    holding = state.rungs()
    locations = tuple(holding) or tuple(state.parts)
    worst = max(locations, key=lambda location: _score(rule, state.parts[location].measured))
    rung = rule.ladder[max(holding.values(), default=1) - 1]
    ordered = [worst, *(name for name in state.parts if name != worst)]
    return Finding(
        vehicle_id=vehicle_id,
        component=rule.failure_mode.component,
        failure_mode=rule.failure_mode,
        detector=rule.rule_id,
        score=_score(rule, state.parts[worst].measured),
        severity=rung.severity,
        confidence=rung.confidence,
        observed_at=moment(at),
        window_start=moment(min(state.parts[name].recent[0][0] for name in ordered)),
        window_end=moment(at) + MICROSECOND,
        evidence=_evidence(rule, state, ordered, rung, change),
        locations=tuple(name for name in holding if name),
        cleared=change is Change.ENDED,
    )


def moment(at: int) -> datetime:
    """The datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)


def _score(rule: Rule, measured: float) -> float:
    """0 at the exit threshold, 1 at the enter threshold, more beyond it."""
    return (measured - rule.exit.threshold) / (rule.enter.threshold - rule.exit.threshold)


def _evidence(rule: Rule, state: RuleState, ordered: list[str], rung: Rung, change: Change) -> Evidence:
    part = state.parts[ordered[0]]
    return Evidence(
        summary=_summary(rule, state, part, rung, change),
        clears_when=rule.clears_when,
        traces=tuple(_trace(rule, name, state.parts[name]) for name in ordered),
        threshold=_threshold(rule, part, rung),
        threshold_label=f"{rung.severity.name.lower()} {rule.direction} {rung.threshold:g} {rule.unit}",
    )


def _summary(rule: Rule, state: RuleState, part: PartState, rung: Rung, change: Change) -> str:
    what = FEATURES[rule.feature].title
    measured = {
        Measure.VALUE: f"{what} is {part.measured:.4g} {rule.unit}",
        Measure.SLOPE: f"{what} changes by at least {part.measured:.3g} {rule.unit}",
        Measure.CHANGE: f"{what} has changed by {part.measured:.3g} {rule.unit}",
    }[rule.measure]
    where = ", ".join(name for name in state.rungs() if name)
    place = f" at {where}" if where else ""
    if change is Change.ENDED:
        return f"{rule.title} has ended: {measured}, within {rule.exit.threshold:g} {rule.unit}."
    side = "at or below" if rule.direction is Direction.BELOW else "at or above"
    return f"{rule.title}{place}: {measured}, {side} {rung.threshold:g} {rule.unit}."


def _trace(rule: Rule, location: str, part: PartState) -> Trace:
    feature = FEATURES[rule.feature]
    times, values = zip(*part.recent, strict=True)
    label = f"{feature.title} {location}".strip()
    stamps = np.array(times, dtype="int64").view("datetime64[us]")
    return Trace(label, feature.unit, stamps, np.array(values, dtype=np.float64))


def _threshold(rule: Rule, part: PartState, rung: Rung) -> float | None:
    """The rung's threshold in the feature's own unit; a slope has none."""
    match rule.measure:
        case Measure.VALUE:
            return rung.threshold
        case Measure.CHANGE:
            return median(part.first) * (1.0 + rung.threshold / 100.0)
        case Measure.SLOPE:
            return None
