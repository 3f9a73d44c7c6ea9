"""The shipped rules over their test cases, and what the runner of cases refuses."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rules.cases import CASES, CaseError, Trial, read_cases
from rules.detector import RuleDetector
from rules.loader import load_rules
from rules.trial import findings, untried, wrong

if TYPE_CHECKING:
    from features.panel import Panel
    from vehicle.finding import Finding

TRIALS = read_cases(CASES)
RULES = {rule.rule_id: rule for rule in load_rules()}


def test_every_case_comes_out_as_expected() -> None:
    assert [str(one) for one in wrong(TRIALS, [*RULES.values()])] == []


def test_every_rule_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    assert untried(TRIALS, [*RULES.values()]) == []


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.rule_id}, {trial.name}")
def test_sample_by_sample_the_findings_are_the_same(trial: Trial) -> None:
    """Each run is given all samples up to its own, as if nothing were remembered of when windows begin."""
    detector, state = RuleDetector(RULES[trial.rule_id]), None
    found: list[Finding] = []
    every = sorted({at for panel in trial.panels.values() for at in panel.times.tolist()})
    for at in every:
        so_far = {name: one.at(one.times <= np.datetime64(at)) for name, one in trial.panels.items()}
        state, news = detector.evaluate(trial.vehicle, so_far, state)
        found += news
    at_once = findings(RULES[trial.rule_id], trial)
    assert [(one.observed_at, one.severity, one.cleared, one.evidence.summary) for one in found] == [
        (one.observed_at, one.severity, one.cleared, one.evidence.summary) for one in at_once
    ]


def test_a_case_that_comes_out_otherwise_says_how() -> None:
    trial = next(one for one in TRIALS if one.expected)
    mistake = next(wrong([replace(trial, expected=())], [*RULES.values()]))
    assert f"{trial.rule_id}, {trial.name}: expected nothing; found " in str(mistake)
    assert [one.found for one in wrong([trial], [])] == [()], "its rule is gone"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rule: a\ncases: [{name: b, series: {lv_voltage_v: 1..2}}]", "1..2 is no value of it"),
        ("rule: a\ncases: [{name: b, series: {lv_voltage_v: 12*3}}]", "12*3 is neither a value nor a row"),
        ("rule: a\ncases: [{name: b, series: {bms_state: Asleep}}]", "Asleep is no value of it"),
        ("rule: a\ncases: [{name: b, series: {}, every: often}]", "often"),
        ("rule: a\ncases: [{name: b, series: {}, vehicle: {lv_chemistry: gold}}]", "gold"),
        ("rule: a\ncases: [{name: b, serie: {}}]", "serie"),
        ("rule: [", "cases.yaml"),
    ],
)
def test_a_broken_file_of_cases_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    with pytest.raises(CaseError) as refused:
        read_cases(file)
    assert sentence in str(refused.value)


def test_a_row_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text("rule: a\ncases: [{name: b, series: {lv_voltage_v: 12.6x2 12.5-0.1x3 _ 12}}]")
    panel: Panel = read_cases(file)[0].panels["lv_voltage_v"]
    np.testing.assert_equal(panel.values[:, 0], [12.6, 12.6, 12.5, 12.4, 12.3, np.nan, 12.0])
