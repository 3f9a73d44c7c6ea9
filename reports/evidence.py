"""The charts of one problem: what the detector saw, measured against what, and what has become of it since."""

from dataclasses import replace
from datetime import datetime
from itertools import takewhile

import numpy as np
from markupsafe import Markup

from reports.charts import COLOURS, Limit, LineChart, Mark, sparkline
from reports.problems import Problem
from reports.wording import title, unit, upper_first
from storage.findings import StoredFinding
from vehicle.finding import Finding, Trace
from vehicle.moment import instant


def evidence_charts(problem: Problem, now: datetime, key: str, height: int = 180) -> list[LineChart]:
    """One chart per unit that the evidence has traces in; the first holds the limit and the expected failure."""
    finding = problem.finding
    if finding is None:
        return []
    charts = [_chart(finding, traces, f"{key}-{index}", height) for index, traces in enumerate(_by_unit(finding))]
    marks = _marks(problem, now)
    shown = [replace(chart, marks=tuple(mark for mark in marks if mark.kind != "expected")) for chart in charts]
    if shown and finding.evidence.threshold is not None:
        limit = Limit(finding.evidence.threshold, finding.evidence.threshold_label or "limit")
        failure = problem.failure
        shown[0] = replace(
            shown[0],
            limit=limit,
            marks=marks,
            forecast=(failure.earliest, failure.latest) if failure else None,
        )
    return shown


def evidence_spark(problem: Problem) -> Markup:
    """The first trace in the size of two lines of text."""
    finding = problem.finding
    if finding is None or not finding.evidence.traces:
        return Markup()
    return sparkline(finding.evidence.traces[0], finding.evidence.threshold, finding.evidence.summary)


def score_chart(history: list[StoredFinding], key: str) -> LineChart:
    """How a problem's score went from claim to claim, one line per detector."""
    detectors = sorted({stored.finding.detector for stored in history})
    traces = tuple(
        Trace(
            detector,
            "",
            np.array([instant(finding.observed_at) for finding in claims], dtype="datetime64[us]"),
            np.array([finding.score for finding in claims], dtype=np.float64),
        )
        for detector in detectors
        for claims in [[s.finding for s in history if s.finding.detector == detector]]
    )
    return LineChart(key, "Score of every finding", traces, "score", Limit(1.0, "detector's limit"), height=110)


def _chart(finding: Finding, traces: tuple[Trace, ...], key: str, height: int) -> LineChart:
    shared, named = _without_shared_words(traces)
    return LineChart(
        key=key,
        title=upper_first(shared) or f"{title(finding.component)}, {unit(traces[0].unit)}",
        traces=named,
        unit=traces[0].unit,
        window=(finding.window_start, finding.window_end),
        company=_company(finding, named),
        height=height,
    )


def _without_shared_words(traces: tuple[Trace, ...]) -> tuple[str, tuple[Trace, ...]]:
    """The words that all labels begin with, and the traces labelled with the rest."""
    words = [trace.label.split() for trace in traces]
    count = len(list(takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False))))
    if len(traces) > 1 and count == min(map(len, words)):
        count = max(0, count - 1)
    named = tuple(replace(trace, label=" ".join(label[count:])) for trace, label in zip(traces, words, strict=True))
    return " ".join(words[0][:count]), named


def _company(finding: Finding, traces: tuple[Trace, ...]) -> tuple[str, ...]:
    """Where there are more lines than colours: those that are not of the parts the finding names."""
    if len(traces) <= COLOURS:
        return ()
    labels = [trace.label for trace in traces]
    named = [label for label in labels if label.rpartition(" ")[2] in finding.locations] or labels[:1]
    return tuple(label for label in labels if label not in named[:COLOURS])


def _by_unit(finding: Finding) -> list[tuple[Trace, ...]]:
    units: dict[str, list[Trace]] = {}
    for trace in finding.evidence.traces:
        units.setdefault(trace.unit, []).append(trace)
    return [tuple(traces) for traces in units.values()]


def _marks(problem: Problem, now: datetime) -> tuple[Mark, ...]:
    marks = [Mark(problem.alert.opened_at, "opened", "opened"), Mark(now, "now", "now")]
    if problem.appointment:
        marks.append(Mark(problem.appointment.starts_at, "appointment", "appointment"))
    if problem.failure:
        marks.append(Mark(problem.failure.likely, "failure", "expected"))
    return tuple(marks)
