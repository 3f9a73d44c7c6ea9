"""One table of a rule file becomes a rule."""

import re
from datetime import timedelta
from typing import Final

from rules.conditions import UNREADABLE, Conditions, read_conditions
from rules.contradictions import name_contradictions
from rules.facts import read_facts
from rules.gauge import gauge_of, threshold_of
from rules.language.units import PLAIN, unit
from rules.reader import Reader
from rules.rule import Gauge, Limit, Rule, Rung, Scale, Schedule
from rules.span import read_span
from vehicle.failure import OCCASIONS, Component, FailureMode, Occasion, ServiceItem
from vehicle.finding import Severity
from vehicle.signals import CATALOGUE as SIGNALS

DEFAULT_HISTORY: Final = timedelta(days=14)

_ID: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_AT_ONCE: Final = timedelta()


def build_rule(reader: Reader, system: str) -> Rule:
    """The rule that a table describes; of use only if the reader found no mistake."""
    known = len(reader.mistakes)
    steps = tuple(reader.inners("ladder"))
    conditions = read_conditions(reader, steps[1:])
    measured = reader.text("measured") if reader.has("measured") else ""
    gauge = gauge_of(conditions.when, conditions.until, measured)
    mode = _mode(reader)
    facts = dict(read_facts(reader)) if reader.has("applies_to") else {}
    rule = Rule(
        rule_id=_identifier(reader),
        system=system,
        title=reader.text("title"),
        failure_mode=mode,
        when=conditions.when,
        until=conditions.until,
        lasting=read_span(reader, "for", _AT_ONCE),
        keep_firing_for=read_span(reader, "keep_firing_for", _AT_ONCE),
        observations=reader.whole("observations", least=1) if reader.has("observations") else 1,
        valid_when=conditions.valid_when,
        group=conditions.group,
        part=conditions.part,
        gauge=gauge,
        ladder=_ladder(steps, conditions, gauge),
        look_back=conditions.look_back,
        history=read_span(reader, "history", DEFAULT_HISTORY),
        applies_to=tuple((name, values) for name, values in facts.items() if name != "software"),
        software=facts.get("software", ()),
        latch=conditions.latch,
        inhibited_by=reader.texts("inhibited_by") if reader.has("inhibited_by") else (),
        schedule=reader.choice("schedule", Schedule) if reader.has("schedule") else Schedule.LIVE,
        limit=_limit(reader, gauge) if reader.has("limit") and conditions.when is not UNREADABLE else None,
        evidence=reader.texts("evidence", SIGNALS),
        explanation=reader.text("explanation"),
        clears_when=reader.text("clears_when"),
        source=reader.text("source"),
        estimate=reader.flag("estimate"),
        triggered_by=_triggered_by(reader, mode),
        must_not_fire_on=reader.texts("must_not_fire_on"),
        when_text=reader.plain("when"),
        until_text=reader.plain("until"),
        valid_text=reader.plain("valid_when") if reader.has("valid_when") else "",
    )
    reader.finish()
    if len(reader.mistakes) == known:
        name_contradictions(reader, rule)
    return rule


def _identifier(reader: Reader) -> str:
    rule_id = reader.text("id")
    if rule_id and not _ID.fullmatch(rule_id):
        reader.complain("id", "id is not lower-case letters, digits and _")
    return rule_id


def _mode(reader: Reader) -> Occasion:
    mode = reader.choice("failure_mode", OCCASIONS)
    if reader.choice("component", Component) is not mode.component and reader.has("component"):
        reader.complain("component", f"component: {mode} is a failure of {mode.component}: write that")
    return mode


def _triggered_by(reader: Reader, mode: Occasion) -> FailureMode | None:
    """The fault; a service item comes with time and distance, and has none."""
    if not isinstance(mode, ServiceItem):
        return reader.choice("triggered_by", FailureMode)
    if reader.has("triggered_by"):
        reader.complain("triggered_by", f"triggered_by: no fault brings {mode} about: leave it out")
    return None


def _ladder(steps: tuple[Reader, ...], conditions: Conditions, gauge: Gauge | None) -> tuple[Rung, ...]:
    """The rungs; the first one stands where the rule begins."""
    rungs: list[Rung] = []
    for step, when in zip(steps, (conditions.when, *conditions.rungs), strict=False):
        threshold, text = threshold_of(gauge, when), step.plain("when") if rungs else ""
        rungs.append(Rung(when, threshold, step.choice("severity", Severity), step.share("confidence"), text))
        step.finish()
    return tuple(rungs)


def _limit(reader: Reader, gauge: Gauge | None) -> Limit:
    """Where the gauge stands at failure, in the gauge's unit."""
    table = reader.inner("limit")
    if gauge is None:
        reader.complain("limit", "limit: `when` compares no number with a constant, so nothing runs towards a limit")
        return Limit(0.0, Scale.LINEAR)
    limit = Limit(table.quantity("at", unit(gauge.unit) or PLAIN), table.choice("scale", Scale))
    table.finish()
    if limit.scale is Scale.LOGARITHMIC and limit.value <= 0:
        table.complain("at", "limit: a logarithmic scale has no place for it")
    return limit
