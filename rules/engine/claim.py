"""What a rule says when it has something to say: a finding with the evidence to judge it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

import numpy as np

from features.table import FEATURES
from rules.engine.chart import Chart, Points
from rules.engine.software import other
from rules.engine.windows import MICROSECOND
from rules.rule import Gauge, Rung
from vehicle.finding import Evidence, Finding, Trace

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Change(Enum):
    """What one time's samples did to a rule on one vehicle."""

    NONE = "none"
    WORSE = "worse"
    """It holds, at another part too, or higher on its ladder."""
    ENDED = "ended"
    """It holds nowhere any more."""


@dataclass(frozen=True, slots=True)
class News:
    """One change to be told."""

    change: Change
    at: int
    rungs: dict[str, int]
    """How far up the ladder each part stands at which the rule holds from then on."""
    begun: dict[str, int]
    """Of every part at which it holds, or has held until then, since when."""


def claim(chart: Chart, news: News) -> Finding:
    """The finding that a rule makes of a change."""
    rule = chart.rule
    names = tuple(news.rungs) or tuple(news.begun)
    measured = {name: chart.measured(name, news.begun[name], news.at) for name in names}
    scores = {name: _score(rule.gauge, measured[name], news.rungs.get(name, 0)) for name in names}
    worst = max(scores, key=lambda name: scores[name])
    rung = rule.ladder[max(news.rungs.values(), default=1) - 1]
    traces = _traces(chart, news, worst)
    return Finding(
        vehicle_id=chart.vehicle.vehicle_id,
        component=rule.failure_mode.component,
        failure_mode=rule.failure_mode,
        detector=rule.rule_id,
        score=scores[worst],
        severity=rung.severity,
        confidence=rung.confidence,
        observed_at=moment(news.at),
        window_start=min((moment(int(one.times[0].astype(np.int64))) for one in traces), default=moment(news.at)),
        window_end=moment(news.at) + MICROSECOND,
        evidence=_evidence(chart, news, worst, rung, measured[worst], traces),
        locations=_parts(chart, news),
        cleared=news.change is Change.ENDED,
    )


def moment(at: int) -> datetime:
    """The datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)


def _parts(chart: Chart, news: News) -> tuple[str, ...]:
    """The names of those at which the rule holds from then on."""
    names = [chart.meant(chart.rule.part, news.at)] if chart.rule.part and news.rungs else news.rungs
    return tuple(name for name in names if name)


def _score(gauge: Gauge | None, measured: float, rung: int) -> float:
    """0 at the threshold of `until`, 1 at that of `when`, more beyond it; where there are none, the rung's number."""
    score = float(rung)
    if gauge is not None and gauge.leave is not None and gauge.leave != gauge.enter and not math.isnan(measured):
        score = (measured - gauge.leave) / (gauge.enter - gauge.leave)
    return max(score, 1.0) if rung else score


def _evidence(  # noqa: PLR0917 -- what a claim rests on
    chart: Chart, news: News, worst: str, rung: Rung, measured: float, traces: tuple[Trace, ...]
) -> Evidence:
    gauge = chart.rule.gauge
    label = f"{rung.severity.name.lower()} {rung.text or chart.rule.when_text}"
    if gauge is not None and rung.threshold is not None:
        side = "above" if gauge.above else "below"
        label = f"{rung.severity.name.lower()} {side} {_figure(gauge, rung.threshold)}"
    return Evidence(
        summary=_summary(chart, news, rung, measured),
        clears_when=chart.rule.clears_when,
        traces=traces,
        threshold=_threshold(chart, worst, rung),
        threshold_label=label,
    )


def _summary(chart: Chart, news: News, rung: Rung, measured: float) -> str:
    rule, ended = chart.rule, news.change is Change.ENDED
    gauge = rule.gauge
    where = ", ".join(_parts(chart, news))
    head = f"{rule.title} has ended" if ended else f"{rule.title} at {where}" if where else rule.title
    if ended and (version := other(rule.software, chart.vehicle, moment(news.at))) is not None:
        # What is measured may be as bad as before.
        return f"{head}: the rule is not for software {version}, which the car has."
    # Of alternatives it may be another one that holds.
    short = gauge is not None and not ended and rung.threshold is not None and gauge.beyond(rung.threshold, measured)
    if gauge is None or math.isnan(measured) or short:
        return f"{head}: {rule.until_text if ended else rung.text or rule.when_text}."
    told = f"{head}: {gauge.title} is {_figure(gauge, measured, 4)}"
    if ended:
        return f"{told}." if gauge.leave is None else f"{told}, within {_figure(gauge, gauge.leave)}."
    if rung.threshold is None:
        return f"{told}."
    return f"{told}, at or {'above' if gauge.above else 'below'} {_figure(gauge, rung.threshold)}."


def _figure(gauge: Gauge, value: float, digits: int = 6) -> str:
    """A value of the gauge as people read it: plain shares in %, spans of time in days or hours."""
    if not gauge.unit and gauge.relative_to is not None:
        return f"{value * 100:.{digits}g} %"
    if gauge.unit == "s" and abs(value) >= 86_400:  # noqa: PLR2004 -- a day
        return f"{value / 86_400:.{digits}g} d"
    return f"{value:.{digits}g} {gauge.unit}".rstrip()


def _traces(chart: Chart, news: News, worst: str) -> tuple[Trace, ...]:
    feature = chart.feature
    if feature is not None:
        parts = [worst, *(name for name in chart.conditions.members if name != worst)]
        entry = FEATURES[feature.name]
        return tuple(
            _trace(f"{entry.title} {member}".strip(), entry.unit, points)
            for name in parts
            for member, points in chart.course_of_feature(name, news.at).items()
        )
    gauge = chart.rule.gauge
    title, unit = (gauge.title, gauge.unit) if gauge else (chart.rule.when_text, "")
    parts = [worst, *(name for name in news.begun if name != worst)]
    courses = ((name, chart.course_since(name, news.begun[name], news.at)) for name in parts)
    return tuple(_trace(f"{title} {name}".strip(), unit, points) for name, points in courses if len(points[0]))


def _trace(label: str, unit: str, points: Points) -> Trace:
    return Trace(label, unit, points[0].view("datetime64[us]"), points[1])


def _threshold(chart: Chart, worst: str, rung: Rung) -> float | None:
    """The rung's threshold as the first trace shows it; what has another unit than it shows has none."""
    gauge, feature = chart.rule.gauge, chart.feature
    if gauge is None or rung.threshold is None:
        return None
    if feature is None or gauge.expression == feature:
        return rung.threshold
    if gauge.relative_to != feature:
        return None
    usual = chart.usual(worst)
    share = rung.threshold / 100.0 if gauge.unit == "%" else rung.threshold
    return None if usual is None else usual * (1.0 + share)
