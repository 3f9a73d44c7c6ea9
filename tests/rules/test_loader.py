"""Rule files: what is read, and how every mistake of every file is named."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.fields import RULE_FIELDS
from rules.language.functions import WindowFunction
from rules.language.tree import And, CarState, Comparison, InState, Number, Over, Relation, Series, Source
from rules.loader import CATALOGUE, RuleError, load_rules
from rules.rule import Latching, Limit, Rule, Scale, Schedule
from rules.schema import rules_schema
from tests.rules.conftest import GOOD, OTHER
from vehicle.finding import Severity

Written = Callable[..., Path]
BROKEN: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("broken.yaml").read_text())
WHEN = "when: lv_rest_voltage <= 12.4 V"


def _mistakes(folder: Path) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load_rules(folder)
    return str(caught.value).splitlines()


def test_a_good_file_is_read(rule: Rule) -> None:
    rest = Series("lv_rest_voltage", Source.FEATURE, ("lv_rest_voltage",))
    ambient = Series("ambient_temp_c", Source.SIGNAL, ("ambient_temp_c",))
    assert rule.when == Comparison(Relation.AT_MOST, rest, Number(12.4), "V")
    assert rule.until == Comparison(Relation.GREATER, rest, Number(12.5), "V"), "12500 mV is 12.5 V"
    assert rule.valid_when == And(
        (
            Comparison(Relation.GREATER, ambient, Number(-20.0), "degC"),
            Comparison(Relation.AT_LEAST, Over(WindowFunction.COUNT, rest, timedelta(days=7)), Number(5.0)),
        )
    )
    assert (rule.lasting, rule.observations, rule.keep_firing_for) == (timedelta(days=1), 2, timedelta(days=2))
    assert (rule.look_back, rule.history, rule.group) == (timedelta(days=7), timedelta(days=10), None)
    assert (rule.latch.kind, rule.latch.exposure) == (Latching.EXPOSURE, InState(CarState.DRIVING))
    assert rule.latch.lasting == timedelta(hours=10)
    assert [(rung.threshold, rung.severity, rung.confidence) for rung in rule.ladder] == [
        (12.4, Severity.WARNING, 0.8),
        (12.0, Severity.CRITICAL, 0.9),
    ]
    assert (rule.applies_to, rule.inhibited_by) == ((("lv_chemistry", ("lead_acid",)),), ("other",))
    assert (rule.schedule, rule.limit) == (Schedule.DAILY, Limit(11.8, Scale.LINEAR))
    assert rule.gauge
    assert (rule.gauge.title, rule.gauge.unit, rule.gauge.above) == ("battery at rest", "V", False)
    assert (rule.gauge.enter, rule.gauge.leave) == (12.4, 12.5)


def test_there_are_a_hundred_broken_files() -> None:
    assert len(BROKEN) >= 100


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["name"].replace(" ", "_"))
def test_a_mistake_is_named_with_its_place(written: Written, case: dict[str, Any]) -> None:
    before, after = (WHEN, f"when: {case['when']}") if "when" in case else (case["instead_of"], case["put"])
    good = GOOD + OTHER
    assert good.count(before) == 1
    mistakes = _mistakes(written(broken=good.replace(before, after)))
    assert [m for m in mistakes if m.startswith(f"broken.yaml:{case['at']}: ") and case["says"] in m], mistakes


@pytest.mark.parametrize("field", RULE_FIELDS, ids=lambda field: field.name)
def test_a_field_left_out_is_missed_unless_it_is_optional(written: Written, field: Any) -> None:
    rule = yaml.safe_load(GOOD + OTHER)
    del rule["rules"][0][field.name]
    folder = written(one=yaml.safe_dump(rule))
    if field.required or field.name == "triggered_by":  # needed of every fault
        assert any(f"{field.name} is missing" in mistake for mistake in _mistakes(folder))
    elif field.name != "schedule":
        assert load_rules(folder)


def test_the_good_file_has_every_field() -> None:
    assert {*yaml.safe_load(GOOD)["rules"][0]} == {field.name for field in RULE_FIELDS}


@pytest.mark.parametrize("text", [GOOD + OTHER, *(path.read_text() for path in sorted(CATALOGUE.glob("*.yaml")))])
def test_the_schema_takes_what_the_loader_takes(text: str) -> None:
    jsonschema.validate(yaml.safe_load(text), json.loads(rules_schema()))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("observations: 2", "observation: 2"),
        ("severity: critical", "severity: awful"),
        ("for: 1 d", "for: 1 V"),
        ("    clears_when: It rests above 12.5 V again.\n", ""),
        ("exposure: driving, ", ""),
    ],
)
def test_the_schema_refuses_what_an_editor_can_see(before: str, after: str) -> None:
    assert GOOD.count(before) == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(GOOD.replace(before, after)), json.loads(rules_schema()))


def test_all_mistakes_of_all_files_come_at_once(written: Written) -> None:
    folder = written(
        a=(GOOD + OTHER).replace("12.4 V", "12.4 A").replace("estimate: false", "estimate: 1", 1),
        b=OTHER.replace("  - id: other", "system: S\nrules:\n  - id: third").replace("9 V", "9 kPa"),
        c="- just\n- a list\n",
        d="rules: [1, 2",
        e="",
    )
    files = [mistake.split(":")[0] for mistake in _mistakes(folder)]
    assert [files.count(f"{name}.yaml") for name in "abcde"] == [2, 1, 1, 1, 1]


def test_an_id_stands_for_one_rule_only(written: Written) -> None:
    mistakes = _mistakes(written(a=GOOD + OTHER, b="system: S\nrules:\n" + OTHER))
    assert mistakes == ["b.yaml:3:5: other: the id is taken by the rule at a.yaml:32"]


def test_rules_do_not_inhibit_each_other(written: Written) -> None:
    text = GOOD + OTHER.replace("    evidence", "    inhibited_by: [rest_low]\n    evidence")
    assert any("rest_low is inhibited by this rule" in mistake for mistake in _mistakes(written(a=text)))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"system: \xff\xfe")
    assert _mistakes(tmp_path) == ["a.yaml:1:1: is not UTF-8 text"]


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    assert "there is no rule file" in _mistakes(tmp_path)[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_no_text_gets_past_as_anything_but_rules_or_mistakes(written: Written, data: st.DataObject) -> None:
    good = GOOD + OTHER
    cut = data.draw(st.integers(0, len(good)))
    text = good[:cut] + data.draw(st.text(alphabet=st.sampled_from("{}[]()<=:-&*!|>'\"%@ \n#?,a1."), max_size=12))
    folder = written(any=text + data.draw(st.sampled_from(["", good[cut:]])))
    try:
        load_rules(folder)
    except RuleError as error:
        assert error.mistakes  # noqa: PT017 -- either way is right, but not without a mistake named
