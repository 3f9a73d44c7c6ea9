"""Rows of a table as strips: when each problem was found, fails and is repaired, all on one axis."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from reports.axes import TimeAxis
from reports.figures import warning_time
from reports.problems import Problem
from reports.svg import element, percent
from reports.wording import day, span
from vehicle.finding import Severity

AHEAD: Final = timedelta(days=35)
"""What lies further ahead is an arrow, so that the next days stay readable."""
AHEAD_AT_LEAST: Final = timedelta(days=5)
BACK: Final = timedelta(days=28)
"""Alerts that were opened earlier begin at the left edge."""
_ROW: Final = 24
_AXIS: Final = 20
_WORD_SHARE: Final = 0.1
"""Room for a word on the narrowest axis."""
_DIAMOND: Final = "M0 -7L6 0L0 7L-6 0Z"


def repair_axis(problems: Sequence[Problem], now: datetime) -> TimeAxis:
    """The time that shows what was found, what will fail, and when it is repaired."""
    starts = [problem.alert.opened_at for problem in problems]
    ends = [problem.failure.latest for problem in problems if problem.failure]
    ends += [problem.appointment.starts_at for problem in problems if problem.appointment]
    back = min(now - min(starts, default=now), BACK)
    ahead = min(max([*(at - now for at in ends), AHEAD_AT_LEAST]), AHEAD)
    air = 0.03 * (back + ahead)
    return TimeAxis(now - back - air, now + ahead + air)


def axis_strip(axis: TimeAxis, now: datetime) -> Markup:
    """The dates of an axis and the word for now, for the head of the column."""
    today = axis.position(now)
    dates = [(tick.position, tick.label, "tick") for tick in axis.ticks() if abs(tick.position - today) > _WORD_SHARE]
    words = [
        element("text", word, x=percent(position), y=13, text_anchor="middle", class_=kind)
        for position, word, kind in [*dates, (today, "today", "tick today")]
    ]
    return _strip(words, _AXIS, f"{day(axis.start)} to {day(axis.end)}")


def repair_strip(problem: Problem, axis: TimeAxis, now: datetime) -> Markup:
    """One problem: found (ring), repaired (diamond), failing (band, and a dot on the likeliest day)."""
    opened, kind = _x(problem.alert.opened_at, axis), problem.alert.severity.name.lower()
    parts, words = _background(axis, now), [f"found {day(problem.alert.opened_at)}"]
    if problem.failure:
        failure = problem.failure
        left, right = _x(failure.earliest, axis), _x(failure.latest, axis)
        width = percent(right - left)
        parts.append(element("rect", x=percent(left), y=8, width=width, height=8, rx=4, class_=f"range {kind}"))
        words.append(f"failure {day(failure.earliest)} to {day(failure.latest)}")
    reached = _x(problem.appointment.starts_at if problem.appointment else now, axis)
    parts.append(element("line", x1=percent(opened), x2=percent(reached), y1=12, y2=12, class_="wait"))
    parts.append(element("circle", cx=percent(opened), cy=12, r=4, class_="found"))
    if problem.failure and problem.failure.likely <= axis.end:
        x = percent(_x(problem.failure.likely, axis))
        parts.append(element("circle", cx=x, cy=12, r=5, class_=f"likely {kind}"))
    if problem.failure and problem.failure.latest > axis.end:
        parts.append(element("text", "→", x="100%", y=16, text_anchor="end", class_="tick"))
    if problem.appointment:
        parts.append(_diamond(reached))
        words.append(f"appointment {day(problem.appointment.starts_at)}")
    return _strip(parts, _ROW, ", ".join(words))


def warning_strip(problem: Problem, longest: timedelta) -> Markup:
    """From the alert's opening at the left: when the appointment is, and when it would have failed."""
    warning = warning_time(problem) or timedelta()
    end = percent(_kept(warning / longest))
    parts = [
        element("line", x1=0, x2=end, y1=12, y2=12, class_="wait"),
        element("circle", cx=0, cy=12, r=4, class_="found"),
        element("circle", cx=end, cy=12, r=5, class_=f"likely {problem.alert.severity.name.lower()}"),
    ]
    if problem.appointment:
        parts.append(_diamond(_kept((problem.appointment.starts_at - problem.alert.opened_at) / longest)))
    return _strip(parts, _ROW, f"known {span(warning)} before the expected failure")


def severity_bar(counts: Sequence[tuple[Severity, int]], whole: float) -> Markup:
    """A bar of problems, the worst first, each severity in its colour."""
    return bar([(severity.name.lower(), count) for severity, count in counts], whole)


def bar(parts: Sequence[tuple[str, float]], whole: float) -> Markup:
    """A bar of (class, length) parts, `whole` as long as the column; the figure beside it says the same."""
    rects, start = [], 0.0
    for kind, length in parts:
        x, width = percent(start / whole), percent(length / whole)
        rects.append(element("rect", x=x, width=width, height=12, class_=f"bar {kind}"))
        start += length
    return element("svg", *rects, class_="strip", aria_hidden="true", width="100%", height=12)


def _background(axis: TimeAxis, now: datetime) -> list[Markup]:
    lines = [(percent(tick.position), "grid") for tick in axis.ticks()]
    lines.append((percent(_x(now, axis)), "today"))
    return [element("line", x1=x, x2=x, y1=0, y2=_ROW, class_=kind) for x, kind in lines]


def _diamond(share: float) -> Markup:
    shape = element("path", d=_DIAMOND, class_="booked")
    return element("svg", shape, x=percent(share), y=12, overflow="visible")


def _strip(parts: Sequence[Markup], height: int, words: str) -> Markup:
    return element(
        "svg", *parts, class_="strip", role="img", aria_label=words, width="100%", height=height, overflow="visible"
    )


def _x(at: datetime, axis: TimeAxis) -> float:
    return _kept(axis.position(at))


def _kept(share: float) -> float:
    return min(max(share, 0.0), 1.0)
