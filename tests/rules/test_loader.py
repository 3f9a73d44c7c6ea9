"""Rule files: what is read, and how every mistake of every file is named."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.loader import RuleError, load_rules
from rules.threshold_rule import Direction, Enter, Exit, Limit, Measure, Rule, Rung, Scale
from tests.rules.conftest import GOOD
from vehicle.failure import FailureMode
from vehicle.finding import Severity

Written = Callable[..., Path]


def _mistakes(folder: Path) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load_rules(folder)
    return str(caught.value).splitlines()


def test_a_good_file_is_read(rule: Rule) -> None:
    assert rule == Rule(
        rule_id="rest_low",
        system="Low-voltage system",
        title="Battery rests too low",
        failure_mode=FailureMode.LV_BATTERY_AGEING,
        feature="lv_rest_voltage",
        unit="V",
        measure=Measure.VALUE,
        over=timedelta(days=10),
        direction=Direction.BELOW,
        enter=Enter(12.4, timedelta(days=1), 2),
        exit=Exit(12.5, timedelta(days=2)),
        ladder=(Rung(12.4, Severity.WARNING, 0.8), Rung(12.0, Severity.CRITICAL, 0.9)),
        applies_to=(("lv_chemistry", "lead_acid"),),
        limit=Limit(11.8, Scale.LINEAR),
        evidence=("lv_voltage_v",),
        explanation="It does not hold its charge.",
        clears_when="It rests above 12.5 V again.",
        source="Data sheets.",
        estimate=False,
        triggered_by=FailureMode.LV_BATTERY_AGEING,
        must_not_fire_on=("long_parking",),
    )


BROKEN = {
    "unit": ("12.4 V, for", "12.4 kPa, for", 11, "in kPa, not in V"),
    "no unit": ("12.4 V, for", "12.4, for", 11, "is no number with a unit"),
    "not a number": ("12.4 V, for", "low V, for", 11, "is no number with a unit"),
    "span": ("for: 1 d", "for: 1 V", 11, "is no span of time"),
    "endless span": ("for: 1 d", "for: 9999999 d", 11, "for is longer than 366 d"),
    "observations": ("observations: 2", "observations: 0", 11, "observations is not a whole number from 1"),
    "observations as flag": ("observations: 2", "observations: true", 11, "is not a whole number"),
    "unknown feature": ("feature: lv_rest_voltage", "feature: lv_rest", 8, "there is no feature lv_rest"),
    "unknown measure": ("measure: value", "measure: median", 9, "measure is none of value, slope, change"),
    "measure and unit": ("measure: value", "measure: slope", 11, "not in V/d"),
    "exit beyond enter": ("above: 12.5 V", "above: 12.3 V", 12, "would end where it begins"),
    "exit on the same side": ("above: 12.5 V", "below: 12.5 V", 12, "above is missing"),
    "both sides": ("{below: 12.4 V, for", "{below: 12.4 V, above: 13 V, for", 11, "above is no field here"),
    "severity": ("severity: critical", "severity: awful", 15, "severity is none of info, warning, critical, danger"),
    "ladder down": ("beyond: 12.0 V", "beyond: 12.45 V", 13, "ladder does not climb"),
    "ladder same": ("severity: critical", "severity: warning", 13, "ladder does not climb"),
    "confidence": ("confidence: 0.8", "confidence: 1.2", 14, "confidence is not a number from 0 to 1"),
    "component": ("component: low_voltage_battery", "component: tyre", 5, "is a failure of low_voltage_battery"),
    "failure mode": ("failure_mode: lv_battery_ageing", "failure_mode: rust", 6, "failure_mode is none of"),
    "fact": ("lv_chemistry: lead_acid", "colour: red", 7, "the registry knows no colour"),
    "signal": ("[lv_voltage_v]", "[lv_volt]", 17, "there is no lv_volt"),
    "evidence": ("[lv_voltage_v]", "lv_voltage_v", 17, "evidence is not a list of names"),
    "fault": ("triggered_by: lv_battery_ageing", "triggered_by: gremlins", 22, "triggered_by is none of"),
    "flag": ("estimate: false", "estimate: perhaps", 21, "estimate is not true or false"),
    "empty text": ("title: Battery rests too low", 'title: " "', 4, "title is not a text"),
    "id": ("id: rest_low", "id: Rest-Low", 3, "id is not lower-case"),
    "extra field": ("measure: value", "measures: value", 9, "measures is no field here"),
    "limit": ("at: 11.8 V", "at: 0 V", 16, ""),
    "scale": ("scale: linear", "scale: cubic", 16, "scale is none of linear, logarithmic"),
    "longer than remembered": ("for: 1 d", "for: 11 d", 11, "longer than `over`"),
    "yaml": ("when: {below", "when: {{below", 12, "is not YAML"),
    "key twice": ("measure: value", "title: again", 9, "title stands twice"),
    "alias": ("measure: value", "measure: *value", 9, ""),
    "tag": ("title: Battery", "title: !!python/name:os.system Battery", 4, "is not YAML"),
    "date": ("title: Battery rests too low", "title: 2019-13-45", 4, ""),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_mistake_is_named_with_its_line(written: Written, case: str) -> None:
    before, after, line, text = BROKEN[case]
    assert GOOD.count(before) == 1
    if case == "limit":
        after = "at: 0 V, scale: logarithmic"
        before, text = "at: 11.8 V, scale: linear", "logarithmic scale has no place"
    if case in {"alias", "date"}:
        text = "is not YAML"
    mistakes = _mistakes(written(broken=GOOD.replace(before, after)))
    assert [m for m in mistakes if m.startswith(f"broken.yaml:{line}: ") and text in m], mistakes


@pytest.mark.parametrize("field", [line.strip().split(":")[0].lstrip("- ") for line in GOOD.splitlines()[2:-1]])
def test_a_field_left_out_is_missed_unless_it_is_optional(written: Written, field: str) -> None:
    optional = {"applies_to", "measure", "over", "limit", "{severity"}
    kept = [line for line in GOOD.splitlines() if not line.strip().lstrip("- ").startswith(f"{field}:")]
    if field == "id":
        kept[2] = kept[2].replace("    title", "  - title")
    if field in optional:
        assert load_rules(written(good="\n".join(kept))) if field != "{severity" else True
    else:
        assert any(f"{field} is missing" in m or "is not YAML" in m for m in _mistakes(written(bad="\n".join(kept))))


def test_all_mistakes_of_all_files_come_at_once(written: Written) -> None:
    folder = written(
        a=GOOD.replace("12.4 V", "12.4 A").replace("estimate: false", "estimate: 1"),
        b=GOOD.replace("id: rest_low", "id: other").replace("feature: lv_rest_voltage", "feature: nothing"),
        c="- just\n- a list\n",
        d="rules: [1, 2",
        e="",
    )
    files = [mistake.split(":")[0] for mistake in _mistakes(folder)]
    assert [files.count(f"{name}.yaml") for name in "abcde"] == [2, 1, 1, 1, 1]


def test_an_id_stands_for_one_rule_only(written: Written) -> None:
    mistakes = _mistakes(written(a=GOOD, b=GOOD))
    assert mistakes == ["b.yaml:3: rest_low: the id is taken by the rule at a.yaml:3"]


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"system: \xff\xfe")
    assert _mistakes(tmp_path) == ["a.yaml:1: is not UTF-8 text"]


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    assert "there is no rule file" in _mistakes(tmp_path)[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
def test_no_text_gets_past_as_anything_but_rules_or_mistakes(written: Written, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(GOOD)))
    text = GOOD[:cut] + data.draw(st.text(alphabet=st.sampled_from("{}[]:-&*!|>'\"%@ \n#?,a1."), max_size=12))
    folder = written(any=text + data.draw(st.sampled_from(["", GOOD[cut:]])))
    try:
        load_rules(folder)
    except RuleError as error:
        assert error.mistakes  # noqa: PT017 -- either way is right, but not without a mistake named
