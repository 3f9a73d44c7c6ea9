"""Line charts as inline SVG: traces over time with threshold, window, forecast and marks.

Colours come from the style sheet by class (``s0``, ``threshold``, ...); without one, the lines are black.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from markupsafe import Markup

from reports import frame as layers
from reports.axes import TimeAxis, ValueAxis
from reports.frame import COMPANY, Frame, Mark
from reports.lines import finite, thin
from reports.svg import element
from reports.wording import day, labelled, quantity, unit
from vehicle.finding import Trace
from vehicle.moment import moment

COLOURS: Final = 6
"""Lines a reader can tell apart: with more, the others belong into the company."""
FUTURE_SHARE: Final = 0.6
"""Forecasts may lengthen the chart by this share of what was measured; what lies beyond is an arrow."""
ARROW_SHARE: Final = 0.12
"""The future that is shown at least where something lies beyond it."""
_SPARK_PX: Final = (120, 28)
_SPARK_POINTS: Final = 120


@dataclass(frozen=True, slots=True)
class Limit:
    """What the first trace is measured against, in the chart's unit."""

    value: float
    label: str = "limit"


@dataclass(frozen=True, slots=True)
class LineChart:
    """What one chart shows; all its traces share one unit."""

    key: str
    """Unique on the page; letters, digits and dashes."""
    title: str
    traces: tuple[Trace, ...]
    unit: str = ""
    limit: Limit | None = None
    window: tuple[datetime, datetime] | None = None
    """What the detector looked at."""
    forecast: tuple[datetime, datetime] | None = None
    """When the failure is expected, from the earliest to the latest."""
    marks: tuple[Mark, ...] = ()
    company: tuple[str, ...] = ()
    """Labels of the lines that are only there to be compared with: grey, and counted in the legend."""
    span: tuple[datetime, datetime] | None = None
    """From when to when, where charts stand beside each other; default: what there is to show."""
    height: int = 180
    """Of the plot, in pixels."""


def line_chart(chart: LineChart) -> Markup:
    """The chart as an HTML figure with its legend; times are shown in UTC."""
    measured = [trace for trace in map(finite, chart.traces) if len(trace.values)]
    if not measured:
        nothing = element("p", "No samples in this span.", class_="empty")
        return element("figure", _caption(chart, []), nothing, class_="chart")
    styled = _styled(chart, measured)
    time_axis = _time_axis(chart, measured)
    levels = [trace.values for trace in measured]
    if chart.limit:
        levels.append(np.array([chart.limit.value]))
    rows = layers.mark_rows(chart.marks, time_axis)
    frame = Frame(
        time_axis,
        ValueAxis.around(np.concatenate(levels)),
        layers.rows_height(rows),
        chart.height,
    )
    drawing = element(
        "svg",
        element("title", chart.title, id=f"{chart.key}-title"),
        element("desc", _description(chart, measured), id=f"{chart.key}-desc"),
        layers.area("window", chart.window, frame) if chart.window else "",
        layers.area("forecast", chart.forecast, frame) if chart.forecast else "",
        layers.grid(unit(chart.unit), frame),
        layers.lines(styled, frame),
        layers.threshold(chart.limit.value, _limit_label(chart.limit, measured[0].unit), frame) if chart.limit else "",
        layers.mark_lines(chart.marks, rows, frame),
        role="img",
        aria_labelledby=f"{chart.key}-title {chart.key}-desc",
        width="100%",
        height=frame.bottom,
        overflow="visible",
    )
    plot = element("div", drawing, class_="plot")
    return element("figure", _caption(chart, styled), plot, class_="chart")


def sparkline(trace: Trace, limit: float | None, label: str) -> Markup:
    """A line as high as two rows of text, for lists; `label` says in words what it shows."""
    shown = thin(finite(trace), _SPARK_POINTS)
    if not len(shown.values):
        return Markup()
    width, height = _SPARK_PX
    axis = ValueAxis.around(np.append(shown.values, [] if limit is None else limit))
    elapsed = (shown.times - shown.times[0]).astype(np.float64)
    across = 4 + (width - 8) * elapsed / max(float(elapsed[-1]), 1.0)
    down = height * (1 - axis.positions(shown.values))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across.tolist(), down.tolist(), strict=True))
    return element(
        "svg",
        "" if limit is None else _spark_rule(height * (1 - axis.position(limit))),
        element("polyline", points=points, class_="line s0", fill="none", stroke="currentColor"),
        element("circle", cx=f"{across[-1]:.1f}", cy=f"{down[-1]:.1f}", r=2.5, class_="dot s0"),
        class_="spark",
        role="img",
        aria_label=label,
        width=width,
        height=height,
    )


def _spark_rule(y: float) -> Markup:
    return element("line", x1=0, x2=_SPARK_PX[0], y1=f"{y:.1f}", y2=f"{y:.1f}", class_="threshold")


def _styled(chart: LineChart, traces: list[Trace]) -> list[tuple[Trace, str]]:
    """Each trace with its class, company first so that it lies below."""
    company = [(trace, COMPANY) for trace in traces if trace.label in chart.company]
    coloured = [trace for trace in traces if trace.label not in chart.company]
    return company + [(trace, f"s{index % COLOURS}") for index, trace in enumerate(coloured)]


def _time_axis(chart: LineChart, traces: list[Trace]) -> TimeAxis:
    if chart.span:
        return TimeAxis(*chart.span)
    past = [mark.at for mark in chart.marks if mark.kind in {"opened", "now"}]
    start = min([*(moment(trace.times[0]) for trace in traces), *past])
    end = max([*(moment(trace.times[-1]) for trace in traces), *past])
    span = max(end - start, timedelta(minutes=1))
    future = [at for at in (*(mark.at for mark in chart.marks), *(chart.forecast or ())) if at > end]
    near = [at for at in future if at <= end + FUTURE_SHARE * span]
    if len(near) < len(future):
        near.append(end + ARROW_SHARE * span)
    return TimeAxis(start - 0.01 * span, max([end, *near]) + 0.02 * span)


def _limit_label(limit: Limit, unit_name: str) -> str:
    figure = f"{limit.value:.4g}"
    return limit.label if figure in limit.label else f"{limit.label}: {figure} {unit(unit_name)}".strip()


def _caption(chart: LineChart, styled: list[tuple[Trace, str]]) -> Markup:
    company = sum(kind == COMPANY for _, kind in styled)
    entries = [_legend_entry(kind, labelled(trace.label), _figure(trace)) for trace, kind in styled if kind != COMPANY]
    if company:
        entries.append(_legend_entry(COMPANY, f"{company} others", ""))
    legend = element("ul", *entries, class_="legend") if entries else ""
    return element("figcaption", element("span", chart.title, class_="chart-title"), legend)


def _legend_entry(kind: str, label: str, figure: str) -> Markup:
    stroke = element("line", x1=0, x2=16, y1=5, y2=5, class_=f"line {kind}", stroke="currentColor")
    swatch = element("svg", stroke, class_="swatch", width=16, height=10, aria_hidden="true")
    return element("li", swatch, " ", label, " ", element("b", figure) if figure else "")


def _figure(trace: Trace) -> str:
    return quantity(float(trace.values[-1]), trace.unit)


def _description(chart: LineChart, traces: list[Trace]) -> str:
    shown = "; ".join(f"{labelled(trace.label) or chart.title} ends at {_figure(trace)}" for trace in traces[:COLOURS])
    limit = f" {_limit_label(chart.limit, traces[0].unit)}." if chart.limit else ""
    first, last = min(trace.times[0] for trace in traces), max(trace.times[-1] for trace in traces)
    count = "1 line" if len(traces) == 1 else f"{len(traces)} lines"
    return f"{count} from {day(moment(first))} to {day(moment(last))}. {shown}.{limit}"


__all__ = ["Limit", "LineChart", "Mark", "line_chart", "sparkline"]
