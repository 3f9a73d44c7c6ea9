from dataclasses import replace
from datetime import timedelta

import numpy as np

from reports.evidence import evidence_charts, evidence_spark, score_chart
from reports.problems import Problem
from storage.findings import StoredFinding
from storage.prognoses import Prognosis
from tests.support.a_visit import NOW, a_finding, an_alert
from vehicle.finding import Evidence, RemainingUsefulLife, Trace


def a_trace(label: str, unit: str) -> Trace:
    times = np.datetime64("2026-09-01", "us") + np.arange(40) * np.timedelta64(3, "h")
    return Trace(label, unit, times, np.linspace(290, 230, 40))


def a_problem(*traces: Trace, threshold: float | None = 232.0) -> Problem:
    evidence = Evidence("It leaks.", "It keeps its pressure.", traces, threshold, "80 % of recommended")
    life = RemainingUsefulLife(1, 2, 3)
    return Problem(an_alert(), a_finding(evidence=evidence), prognosis=Prognosis(NOW, life))


def test_traces_of_one_unit_share_a_chart_and_the_first_holds_the_limit() -> None:
    problem = a_problem(a_trace("Pressure fl", "kPa"), a_trace("Temperature", "degC"), a_trace("Pressure fr", "kPa"))
    pressure, temperature = evidence_charts(problem, NOW, "evidence")
    assert pressure.title == "Pressure"
    assert [trace.label for trace in pressure.traces] == ["fl", "fr"]
    assert pressure.limit is not None
    assert pressure.limit.value == 232.0
    assert pressure.window == (NOW - timedelta(days=7), NOW)
    assert pressure.forecast == (NOW + timedelta(days=1), NOW + timedelta(days=3))
    assert [mark.kind for mark in pressure.marks] == ["opened", "now", "expected"]
    assert temperature.limit is None
    assert (temperature.title, temperature.traces[0].label) == ("Temperature", "")
    assert [mark.kind for mark in temperature.marks] == ["opened", "now"]
    assert pressure.key != temperature.key


def test_labels_lose_only_the_words_that_all_share() -> None:
    (chart,) = evidence_charts(
        a_problem(a_trace("cold pressure", "kPa"), a_trace("cold pressure of peers", "kPa")), NOW, "e"
    )
    assert (chart.title, [trace.label for trace in chart.traces]) == ("Cold", ["pressure", "pressure of peers"])
    (chart,) = evidence_charts(a_problem(a_trace("V_2", "mV"), a_trace("the median", "mV")), NOW, "e")
    assert (chart.title, [trace.label for trace in chart.traces]) == ("Tyre, mV", ["V_2", "the median"])


def test_among_many_parts_the_named_ones_stand_out() -> None:
    problem = a_problem(*(a_trace(f"V_{number}", "mV") for number in range(1, 97)))
    assert problem.finding is not None
    named = replace(problem, finding=replace(problem.finding, locations=("V_2", "V_81")))
    (chart,) = evidence_charts(named, NOW, "evidence")
    assert {trace.label for trace in chart.traces} - set(chart.company) == {"V_2", "V_81"}


def test_evidence_without_traces_or_without_a_finding_has_no_chart() -> None:
    assert evidence_charts(a_problem(), NOW, "evidence") == []
    assert evidence_spark(a_problem()) == ""
    assert evidence_charts(Problem(an_alert(), None), NOW, "evidence") == []
    assert evidence_spark(a_problem(a_trace("Pressure fl", "kPa"), threshold=None)).startswith("<svg")


def test_the_scores_of_every_detector_are_one_line() -> None:
    claims = [
        a_finding(detector=detector, score=score, observed_at=NOW + timedelta(hours=index))
        for index, (detector, score) in enumerate([("tyre-leak", 1.0), ("tyre-peers", 2.0), ("tyre-leak", 1.5)])
    ]
    chart = score_chart([StoredFinding(index, claim) for index, claim in enumerate(claims)], "scores")
    assert {trace.label: trace.values.tolist() for trace in chart.traces} == {
        "tyre-leak": [1.0, 1.5],
        "tyre-peers": [2.0],
    }
