"""The documentation page of the rule catalogue and of the language it is written in."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from features.table import FEATURES
from rules.fields import RULE_FIELDS, Field
from rules.language.calls import CALLS
from rules.language.tree import CarState
from rules.language.units import SYMBOLS
from rules.language.vocabulary import FACTS, TIME
from rules.loader import load_rules
from rules.rule import Latch, Latching, Rule, Rung
from rules.wording import length

_INTRODUCTION: Final = """# Rules

Every rule of `rules/catalogue/`, which is where this page comes from: `make docs` writes it, a test keeps it in step.
A folder of your own stands in its place (`VSC_RULES`; [operations.md](operations.md#rules-of-your-own)).

A rule fires when its `when` has been true for the time given and at no fewer samples than given, without one at which
it was false; it ends when its `until` has been true for the time given. Both are judged at event times: what arrives
late is judged late, and nothing depends on when it arrived. Whatever is not known changes nothing: a car that says
nothing neither falls ill nor gets well, and a silence of more than seven days breaks every streak.

A threshold has a source, or is called an engineering estimate. Each rule names the fault that must make it fire,
simulated or, of combustion engines, injected into a recording, and the simulated confounders that must not; tests hold
it to both. What is due for service is a rule too, but no fault: none brings it about, and nothing that counts faults
counts it.

A rule can be for some cars only (`applies_to`): its facts must be known of a car. Software versions change with an
update, so that a rule with `applies_to: {{software: ["2026.4", "2026.8.*"]}}` (exact, or a beginning and `*`) is judged
at the samples of the time in which the car had such a version, by its own word or that of `vsc vehicles software`.
While it has another, `when` is false and `until` true, so that an open claim ends as if the fault were gone, after
`keep_firing_for` and, of a latched rule, not without its latch; the claim then says that the rule is not for that
software. Where no version is known, all is unknown.

What a rule finds can be kept quiet for a while, by a person and for a reason, unless it is danger. What a car tells in
a workshop is not judged; what the workshop has seen to ends what is latched ([operations.md](operations.md)).

## The language

`when`, `until` and the like are expressions: `avg(lv_voltage_v where dcdc_enabled, 10 min) < 13 V and not charging`.
`vsc rules check` names every mistake of every file by line and column; editors know the fields from
[rules.schema.json](rules.schema.json).

- **Names** are the signals of [signals.md](signals.md), features (below), facts of the registry ({facts}), states
  ({states}) and `{time}`, the sample's own. A group is named like its signals without wheel or axle:
  `tyre_pressure_kpa` is the four tyre pressures, `motor_stator_temp_c` both motors'; a rule on a group judges each part
  by itself, and one on the car as a whole can say by a number which part it means (`part`). A signal has a value at
  the samples at which it was sent, and is unknown at others: `last(x, 10 min)` holds it.
- **Numbers have units**: {units}, and quotients of them (`2000 Ohm/V`, `-1 kPa/d`). Units are converted where they
  measure the same, and refused where they do not. degC is a point on a scale: the difference of two is in K.
- **Operators**, from the loosest: `where`, `or`, `and`, `not`, `< <= > >= == !=` and `in (A, B)` for a signal with
  named values (`bms_state in (Fault, Weld)`), `+ -`, `* /`. `x where c` is x where c is true, and unknown elsewhere.
- **Unknown** stays unknown through every operator, except that `false and unknown` is false and `true or unknown` true.

| function | is |
|---|---|
{functions}

| feature | is | unit | of each |
|---|---|---|---|
{features}

## Fields of a rule

{fields}
"""


def rules_page() -> str:
    """`docs/rules.md`."""
    parts = [_introduction()]
    for system, rules in groupby(sorted(load_rules(), key=lambda rule: rule.system), key=lambda rule: rule.system):
        parts += [f"## {system}\n", *map(_section, rules)]
    return "\n".join(parts)


def _introduction() -> str:
    inner = [f"Of `{field.name}`:\n\n{_fields(field.inner)}" for field in RULE_FIELDS if field.inner]
    return _INTRODUCTION.format(
        facts=_codes(FACTS),
        states=_codes(CarState),
        time=TIME,
        units=_codes(SYMBOLS),
        functions="\n".join(
            f"| `{name}({', '.join(call.parameters)})` | {call.meaning} |" for name, call in CALLS.items()
        ),
        features="\n".join(
            f"| `{name}` | {feature.title} | {feature.unit} | {feature.parts or 'car'} |"
            for name, feature in FEATURES.items()
        ),
        fields="\n\n".join([_fields(RULE_FIELDS), *inner]),
    )


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fields(fields: Iterable[Field]) -> str:
    rows = [f"| `{one.name}` | {one.shape.value} | {one.meaning} | {'yes' if one.required else ''} |" for one in fields]
    return "\n".join(["| field | holds | meaning | needed |", "|---|---|---|---|", *rows])


def _section(rule: Rule) -> str:
    lines = [f"### {rule.title}\n", f"{rule.explanation}\n", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in _facts(rule).items() if text]
    return "\n".join(lines) + "\n"


def _facts(rule: Rule) -> dict[str, str]:
    gauge = rule.gauge
    return {
        "id": f"`{rule.rule_id}`",
        "finds": f"`{rule.failure_mode.component}` / `{rule.failure_mode}`",
        "applies to": "; ".join(f"{name}: {' or '.join(facts)}" for name, facts in _cars(rule)) or "every car",
        "measures": f"{gauge.title}, {gauge.unit or 'a number'}" if gauge else "",
        "names": f"the {rule.part.group.name} of the number `{rule.part.text}`" if rule.part else "",
        "fires": f"`{rule.when_text}`{_lasting(rule)}",
        "only where": f"`{rule.valid_text}`" if rule.valid_text else "",
        "ends": f"`{rule.until_text}`{_holding(rule)}. {rule.clears_when}",
        "stays open": _latching(rule.latch),
        "severity": ", then ".join(map(_step, rule.ladder)),
        "functional failure": f"{rule.limit.value:g} {gauge.unit}, {rule.limit.scale}" if rule.limit and gauge else "",
        "silent while": ", ".join(f"`{name}` fires" for name in rule.inhibited_by),
        "look at": _codes(rule.evidence),
        "thresholds": "engineering estimate" if rule.estimate else "published",
        "source": rule.source,
        "tested with": f"`{rule.triggered_by}`" if rule.triggered_by else "",
        "silent on": _codes(rule.must_not_fire_on),
    }


def _cars(rule: Rule) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (*rule.applies_to, *((("software", rule.software),) if rule.software else ()))


def _step(rung: Rung) -> str:
    where = f" if `{rung.text}`" if rung.text else ""
    return f"{rung.severity.name.lower()}{where} (confidence {rung.confidence:g})"


def _lasting(rule: Rule) -> str:
    times = f" at {rule.observations} samples" if rule.observations > 1 else ""
    return times + (f" over {length(rule.lasting)}" if rule.lasting else "")


def _holding(rule: Rule) -> str:
    return f" for {length(rule.keep_firing_for)}" if rule.keep_firing_for else ""


def _latching(latch: Latch) -> str:
    match latch.kind:
        case Latching.WORKSHOP:
            return "until the workshop has seen to it"
        case Latching.EXPOSURE:
            return f"until {length(latch.lasting)} of `{latch.text}` without the fault"
        case Latching.NONE:
            return ""
