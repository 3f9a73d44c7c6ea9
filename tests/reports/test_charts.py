import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from reports.charts import Limit, LineChart, line_chart, sparkline
from reports.frame import Mark
from tests.support.markup import parsed
from vehicle.finding import Trace

START = datetime(2026, 9, 1, tzinfo=UTC)
HOSTILE = "\"><script>alert(1)</script><!-- ' & \x00\u202e"


def a_trace(values: list[float], label: str = "rest voltage", unit: str = "V") -> Trace:
    times = np.datetime64("2026-09-01", "us") + np.arange(len(values)) * np.timedelta64(1, "h")
    return Trace(label, unit, times, np.array(values, dtype=np.float64))


def a_chart(*traces: Trace, limit: Limit | None = None, **changes: object) -> LineChart:
    return LineChart("chart", "12 V battery", traces, "V", limit, **changes)  # type: ignore[arg-type] # any field


def texts(markup: Markup) -> list[str]:
    return [node.text or "" for node in parsed(markup).iter("text")]


@given(st.lists(st.floats(width=32), max_size=60), st.none() | st.floats(-1e6, 1e6), st.text(max_size=20))
def test_any_trace_makes_a_well_formed_chart(values: list[float], limit: float | None, label: str) -> None:
    chart = a_chart(a_trace(values, label), limit=Limit(limit, label) if limit is not None else None)
    figure = parsed(line_chart(chart))
    if not np.isfinite(values).any():
        assert "No samples" in "".join(figure.itertext())
        return
    drawing = next(node for node in figure.iter("svg") if node.get("role") == "img")
    named = {node.get("id") for node in drawing if node.tag in {"title", "desc"}}
    assert set(str(drawing.get("aria-labelledby")).split()) == named
    assert "nan" not in "".join(path.get("d", "") for path in figure.iter("path"))


def test_axes_are_named_and_the_limit_is_drawn_with_its_figure() -> None:
    chart = line_chart(a_chart(a_trace([12.6, 12.4, 12.1]), limit=Limit(12.2, "weak at rest")))
    shown = texts(chart)
    assert "V" in shown
    assert "hours (UTC), 1 Sep 2026" in shown
    assert "weak at rest: 12.2 V" in shown
    assert 'class="threshold"' in chart


def test_a_limit_that_names_its_figure_says_it_once() -> None:
    chart = line_chart(a_chart(a_trace([12.6]), limit=Limit(12.2, "critical below 12.2 V")))
    assert "critical below 12.2 V" in texts(chart)


def test_the_description_says_in_words_what_the_lines_show() -> None:
    chart = line_chart(a_chart(a_trace([12.6, 12.0]), limit=Limit(12.2, "weak at rest")))
    words = next(node.text for node in parsed(chart).iter("desc"))
    assert words == "1 line from 1 Sep 2026 to 1 Sep 2026. rest voltage ends at 12.00 V. weak at rest: 12.2 V."


def test_hostile_names_stay_text() -> None:
    hostile = LineChart("chart", HOSTILE, (a_trace([1.0, 2.0], HOSTILE, HOSTILE),), HOSTILE, Limit(1.5, HOSTILE))
    markup = line_chart(hostile)
    assert "<script" not in markup
    assert "\x00" not in markup
    assert {node.tag for node in parsed(markup).iter()}.isdisjoint({"script"})


def test_nothing_needs_a_style_attribute_or_another_address() -> None:
    marks = (Mark(START + timedelta(hours=1), "now", "now"),)
    markup = line_chart(a_chart(a_trace([1.0, 2.0]), marks=marks)) + sparkline(a_trace([1.0, 2.0]), 1.5, "trend")
    nodes = parsed(f"<p>{markup}</p>").iter()
    assert all({"style", "href", "src", "onload"}.isdisjoint(node.attrib) for node in nodes)


def test_company_is_grey_and_counted() -> None:
    peers = [a_trace([0.0, 1.0], f"V_{number}") for number in range(1, 97)]
    chart = line_chart(a_chart(*peers, company=tuple(peer.label for peer in peers if peer.label != "V_81")))
    assert chart.count('class="line company"') == 96
    assert "95 others" in "".join(parsed(chart).itertext())
    assert "cell group 81" in "".join(parsed(chart).itertext())


def test_a_far_future_is_an_arrow_and_a_near_one_has_room() -> None:
    measured = a_trace([1.0] * 48)
    far = line_chart(a_chart(measured, marks=(Mark(START + timedelta(days=90), "failure", "expected"),)))
    near = line_chart(a_chart(measured, marks=(Mark(START + timedelta(days=2.5), "failure", "expected"),)))
    assert "failure →" in texts(far)
    assert "failure" in texts(near)


def test_a_sparkline_of_nothing_is_nothing() -> None:
    assert sparkline(a_trace([np.nan]), 1.0, "trend") == ""
    assert sparkline(a_trace([5.0]), None, "trend").startswith("<svg")


@pytest.mark.parametrize(("lines", "samples"), [(1, 100_000), (96, 2_000)])
def test_a_chart_is_quick_and_small_whatever_it_is_made_of(lines: int, samples: int) -> None:
    rng = np.random.default_rng(7)
    traces = [a_trace(list(rng.normal(size=samples)), f"V_{number}") for number in range(lines)]
    chart = a_chart(*traces, company=tuple(trace.label for trace in traces[1:]))
    durations = []
    for _ in range(5):
        begun = time.perf_counter()
        drawn = line_chart(chart)
        durations.append(time.perf_counter() - begun)
    assert min(durations) < 0.15  # 0.05 s on a machine that has nothing else to do
    assert len(drawn) < 150_000
