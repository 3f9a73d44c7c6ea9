"""One table of a rule file becomes a rule; contradictions between its fields are mistakes like any other."""

import re
from dataclasses import fields
from datetime import timedelta
from itertools import pairwise
from typing import Final

from features.table import FEATURES
from rules.reader import Reader
from rules.threshold_rule import Direction, Enter, Exit, Limit, Measure, Rule, Rung, Scale
from vehicle.failure import Component, FailureMode
from vehicle.finding import Severity
from vehicle.signals import CATALOGUE as SIGNALS
from vehicle.vehicle import VehicleRecord

DEFAULT_OVER: Final = timedelta(days=14)
LONGEST: Final = timedelta(days=366)

_ID: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_FACTS: Final = frozenset(field.name for field in fields(VehicleRecord))


def build_rule(reader: Reader, system: str) -> Rule:
    """The rule that a table describes; of use only if the reader found no mistake."""
    known = len(reader.mistakes)
    feature, feature_unit = _feature(reader)
    measure = reader.choice("measure", Measure) if reader.has("measure") else Measure.VALUE
    unit = _unit(measure, feature_unit)
    direction, enter = _enter(reader, unit)
    mode = reader.choice("failure_mode", FailureMode)
    if reader.choice("component", Component) is not mode.component and reader.has("component"):
        reader.complain("component", f"{mode} is a failure of {mode.component}")
    rule = Rule(
        rule_id=_identifier(reader),
        system=system,
        title=reader.text("title"),
        failure_mode=mode,
        feature=feature,
        unit=unit,
        measure=measure,
        over=_span(reader, "over") if reader.has("over") else DEFAULT_OVER,
        direction=direction,
        enter=enter,
        exit=_exit(reader, direction, unit),
        ladder=_ladder(reader, enter.threshold, unit),
        applies_to=_applies_to(reader) if reader.has("applies_to") else (),
        limit=_limit(reader, feature_unit) if reader.has("limit") else None,
        evidence=reader.texts("evidence", SIGNALS),
        explanation=reader.text("explanation"),
        clears_when=reader.text("clears_when"),
        source=reader.text("source"),
        estimate=reader.flag("estimate"),
        triggered_by=reader.choice("triggered_by", FailureMode),
        must_not_fire_on=reader.texts("must_not_fire_on"),
    )
    reader.finish()
    if len(reader.mistakes) == known:
        _check_order(reader, rule)
    return rule


def _identifier(reader: Reader) -> str:
    rule_id = reader.text("id")
    if rule_id and not _ID.fullmatch(rule_id):
        reader.complain("id", "id is not lower-case letters, digits and _")
    return rule_id


def _feature(reader: Reader) -> tuple[str, str]:
    name = reader.text("feature")
    if name and name not in FEATURES:
        reader.complain("feature", f"there is no feature {name}: known are {', '.join(FEATURES)}")
    return name, FEATURES[name].unit if name in FEATURES else ""


def _unit(measure: Measure, feature_unit: str) -> str:
    units = {Measure.VALUE: feature_unit, Measure.SLOPE: f"{feature_unit}/d", Measure.CHANGE: "%"}
    return units[measure] if feature_unit else ""


def _enter(reader: Reader, unit: str) -> tuple[Direction, Enter]:
    when = reader.inner("when")
    direction = _direction(when)
    enter = Enter(_threshold(when, direction, unit), _span(when, "for"), when.whole("observations", least=1))
    when.finish()
    return direction, enter


def _exit(reader: Reader, direction: Direction, unit: str) -> Exit:
    until = reader.inner("until")
    back = Direction.ABOVE if direction is Direction.BELOW else Direction.BELOW
    threshold = _threshold(until, back, unit)
    leave = Exit(threshold, _span(until, "hold"))
    until.finish()
    return leave


def _direction(when: Reader) -> Direction:
    above = Direction.ABOVE in when.table and Direction.BELOW not in when.table
    return Direction.ABOVE if above else Direction.BELOW


def _threshold(reader: Reader, key: str, unit: str) -> float:
    """A number in the measure's unit; nothing can be said about it while that is unknown."""
    if not unit:
        reader.has(key)
        return 0.0
    return reader.quantity(key, unit)


def _span(reader: Reader, key: str) -> timedelta:
    length = reader.span(key)
    if length > LONGEST:
        reader.complain(key, f"{key} is longer than {LONGEST.days} d")
    return min(length, LONGEST)


def _ladder(reader: Reader, enter: float, unit: str) -> tuple[Rung, ...]:
    """The rungs; the first one stands where the rule begins."""
    rungs = []
    for number, rung in enumerate(reader.inners("ladder")):
        threshold = _threshold(rung, "beyond", unit) if number else enter
        rungs.append(Rung(threshold, rung.choice("severity", Severity), rung.share("confidence")))
        rung.finish()
    return tuple(rungs)


def _applies_to(reader: Reader) -> tuple[tuple[str, str], ...]:
    facts = reader.inner("applies_to")
    for name in facts.table:
        if name not in _FACTS:
            facts.complain(name, f"the registry knows no {name} of a vehicle")
    return tuple((name, facts.text(name)) for name in facts.table)


def _limit(reader: Reader, unit: str) -> Limit:
    table = reader.inner("limit")
    limit = Limit(_threshold(table, "at", unit), table.choice("scale", Scale))
    table.finish()
    if limit.scale is Scale.LOGARITHMIC and limit.value <= 0:
        table.complain("at", "limit: a logarithmic scale has no place for it")
    return limit


def _check_order(reader: Reader, rule: Rule) -> None:
    """Thresholds must lie in the order in which they are passed."""
    if rule.beyond(rule.exit.threshold, rule.enter.threshold):
        reader.complain("until", "until lies beyond when: the rule would end where it begins")
    for lower, upper in pairwise(rule.ladder):
        if not rule.beyond(upper.threshold, lower.threshold) or upper.severity <= lower.severity:
            reader.complain("ladder", "ladder does not climb: each step lies beyond the last and is worse")
    if rule.enter.lasting > rule.over:
        reader.complain("when", "when: `for` is longer than `over`, the span that the rule remembers")
