"""The documentation page of the rule catalogue, written from its files."""

from datetime import timedelta
from itertools import groupby

from features.table import FEATURES
from rules.loader import load_rules
from rules.threshold_rule import Direction, Measure, Rule

_INTRODUCTION = """# Rules

Every rule of `rules/catalogue/`, which is where this page comes from: `make docs` writes it, a test keeps it in step.

A rule looks at one feature: something computed from a car's samples, at the event times at which it can be known. It
fires when the measure lies beyond the threshold at every observation for the time given, and at no fewer observations
than given; it ends when the measure lies within the other threshold for the hold time. Whatever is not observed changes
nothing: a car that says nothing neither falls ill nor gets well, and a silence of more than seven days breaks every
streak. The measure is the feature's value, its slope (as far as its observations prove one: Theil-Sen with Sen's
interval at 95 %), or its change in % of the car's first five observations.

A threshold has a source, or is called an engineering estimate. Each rule names the simulated fault that must make it
fire and the confounders that must not; tests hold it to both.
"""


def rules_page() -> str:
    """`docs/rules.md`."""
    parts = [_INTRODUCTION]
    for system, rules in groupby(sorted(load_rules(), key=lambda rule: rule.system), key=lambda rule: rule.system):
        parts += [f"## {system}\n", *map(_section, rules)]
    return "\n".join(parts)


def _section(rule: Rule) -> str:
    lines = [f"### {rule.title}\n", f"{rule.explanation}\n", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in _facts(rule).items()]
    return "\n".join(lines) + "\n"


def _facts(rule: Rule) -> dict[str, str]:
    facts = {
        "id": f"`{rule.rule_id}`",
        "finds": f"`{rule.failure_mode.component}` / `{rule.failure_mode}`",
        "applies to": ", ".join(f"{name} = {fact}" for name, fact in rule.applies_to) or "every car",
        "feature": f"`{rule.feature}`: {FEATURES[rule.feature].title}, {FEATURES[rule.feature].unit}",
        "fires": _fires(rule),
        "ends": f"{_back(rule)} {rule.exit.threshold:g} {rule.unit} for {_span(rule.exit.hold)}. {rule.clears_when}",
        "severity": ", ".join(
            f"{rung.severity.name.lower()} from {rung.threshold:g} {rule.unit} (confidence {rung.confidence:g})"
            for rung in rule.ladder
        ),
    }
    if rule.limit:
        facts["functional failure"] = f"{rule.limit.value:g} {FEATURES[rule.feature].unit}, {rule.limit.scale} course"
    return facts | {
        "look at": ", ".join(f"`{name}`" for name in rule.evidence),
        "thresholds": "engineering estimate" if rule.estimate else "published",
        "source": rule.source,
        "tested with": f"`{rule.triggered_by}`",
        "silent on": ", ".join(f"`{name}`" for name in rule.must_not_fire_on),
    }


def _fires(rule: Rule) -> str:
    measures = {
        Measure.VALUE: "value",
        Measure.SLOPE: f"slope over {_span(rule.over)}",
        Measure.CHANGE: "change since the first observations",
    }
    times = f"{rule.enter.observations} observations" if rule.enter.observations > 1 else "one observation"
    lasting = f" over {_span(rule.enter.lasting)}" if rule.enter.lasting else ""
    side = "at or below" if rule.direction is Direction.BELOW else "at or above"
    return f"{measures[rule.measure]} {side} {rule.enter.threshold:g} {rule.unit} at {times}{lasting}"


def _back(rule: Rule) -> str:
    return "above" if rule.direction is Direction.BELOW else "below"


def _span(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    return f"{hours:g} h" if hours < 24 else f"{hours / 24:g} d"  # noqa: PLR2004 -- hours of a day
