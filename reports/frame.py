"""The layers of a line chart: areas, grid, lines, threshold and marks, each drawn into one frame.

Across, positions are percentages of the chart's width; down, they are pixels.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from reports.axes import TimeAxis, ValueAxis
from reports.lines import MOST_POINTS, strokes, thin
from reports.svg import element, join, percent
from vehicle.finding import Trace

MOST_DOTS: Final = 80
"""Lines with at most this many samples show each of them."""
MOST_DOTTED_STROKES: Final = 3
"""A line in more pieces is too busy for dots."""
CROWD_POINTS: Final = 6000
"""Points of all grey lines together."""
COMPANY: Final = "company"
"""Class of the grey lines that are there to be compared with."""
_BOX: Final = 1000
_ROW_PX: Final = 14
_CHARACTER_SHARE: Final = 0.021
"""Width of a label's character on the narrowest chart (300 px), as a share of it."""
_TURN: Final = 0.7
"""Labels of marks beyond this share of the width stand on the left of their line."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a vertical line."""

    at: datetime
    label: str
    kind: str
    """A class of the style sheet: opened, now, appointment, expected."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a chart's lines lie; `top` and `height` in pixels."""

    time: TimeAxis
    value: ValueAxis
    top: int
    height: int

    @property
    def bottom(self) -> int:
        """Pixels from the top of the drawing to the time axis."""
        return self.top + self.height

    def x(self, at: datetime) -> float:
        """Share of the width, kept inside the chart."""
        return min(max(self.time.position(at), 0.0), 1.0)

    def y(self, share: float) -> float:
        """Pixels from the top, of a share of the value axis."""
        return round(self.top + self.height * (1 - share), 1)


def area(kind: str, span: tuple[datetime, datetime], frame: Frame) -> Markup:
    """A shaded stretch of time."""
    left, right = (frame.x(at) for at in span)
    return element(
        "rect",
        x=percent(left),
        y=frame.top,
        width=percent(right - left),
        height=frame.height,
        class_=kind,
        fill="currentColor",
        fill_opacity="0.1",
    )


def grid(unit: str, frame: Frame) -> Markup:
    """Both axes with ticks, units and the value axis's lines."""
    parts = [_rule(frame.bottom, "axis")]
    for tick in frame.value.ticks():
        y = frame.y(tick.position)
        parts.append(_rule(y, "grid"))
        parts.append(element("text", tick.label, x=-6, y=y + 4, text_anchor="end", class_="tick"))
    for tick in frame.time.ticks():
        x = percent(tick.position)
        parts.append(element("line", x1=x, x2=x, y1=frame.bottom, y2=frame.bottom + 4, class_="axis"))
        parts.append(element("text", tick.label, x=x, y=frame.bottom + 16, text_anchor="middle", class_="tick"))
    title = frame.time.title()
    parts.append(element("text", title, x="100%", y=frame.bottom + 31, text_anchor="end", class_="axis-title"))
    parts.append(element("text", unit, x=-6, y=frame.top - 7, text_anchor="end", class_="axis-title"))
    return join(parts)


def lines(styled: list[tuple[Trace, str]], frame: Frame) -> Markup:
    """Every trace as a line that is broken where data is missing; few samples are dots, too."""
    paths, dots = [], []
    crowd = max(1, sum(kind == COMPANY for _, kind in styled))
    for trace, kind in styled:
        shown = thin(trace, max(4, CROWD_POINTS // crowd) if kind == COMPANY else MOST_POINTS)
        across, up = frame.time.positions(shown.times), frame.value.positions(shown.values)
        parts = strokes(shown.times, frame.time.end - frame.time.start)
        dotted = kind != COMPANY and len(trace.values) <= MOST_DOTS and len(parts) <= MOST_DOTTED_STROKES
        for stroke in parts:
            paths.append(_path(across[stroke], up[stroke], kind))
            if dotted or stroke.stop - stroke.start == 1:
                dots += _dots(across[stroke], up[stroke], kind, frame)
    plane = element(
        "svg",
        *paths,
        x="0",
        y=frame.top,
        width="100%",
        height=frame.height,
        viewBox=f"0 0 {_BOX} {_BOX}",
        preserveAspectRatio="none",
    )
    return join([plane, *dots])


def threshold(value: float, label: str, frame: Frame) -> Markup:
    """The limit the first trace was measured against."""
    y = frame.y(frame.value.position(value))
    return join([_rule(y, "threshold"), element("text", label, x=4, y=y - 5, class_="threshold-label halo")])


def mark_rows(marks: tuple[Mark, ...], axis: TimeAxis) -> list[int]:
    """For every mark the row its label stands in, so that no two labels touch even on a narrow chart."""
    free_from: list[float] = []
    rows = [0] * len(marks)
    for index in sorted(range(len(marks)), key=lambda index: label_span(marks[index], axis)):
        left, right = label_span(marks[index], axis)
        row = next((row for row, free in enumerate(free_from) if free <= left), len(free_from))
        free_from[row : row + 1] = [right]
        rows[index] = row
    return rows


def label_span(mark: Mark, axis: TimeAxis) -> tuple[float, float]:
    """From where to where a mark's label reaches on the narrowest chart, as shares of its width."""
    share = min(max(axis.position(mark.at), 0.0), 1.0)
    width = (len(mark.label) + 3) * _CHARACTER_SHARE
    return (share - width, share) if share > _TURN else (share, share + width)


def rows_height(rows: list[int]) -> int:
    """Pixels that the labels of the marks need above the chart."""
    return (max(rows, default=0) + 1) * _ROW_PX + 4


def mark_lines(marks: tuple[Mark, ...], rows: list[int], frame: Frame) -> Markup:
    """A vertical line with its label per mark; an arrow where the moment lies beyond the chart."""
    return join(part for mark, row in zip(marks, rows, strict=True) for part in _mark(mark, row, frame))


def _mark(mark: Mark, row: int, frame: Frame) -> list[Markup]:
    share = frame.x(mark.at)
    x, y = percent(share), (row + 1) * _ROW_PX - 4
    label = mark.label + (" →" if mark.at > frame.time.end else "")
    turned = share > _TURN
    return [
        element("line", x1=x, x2=x, y1=y + 2, y2=frame.bottom, class_=f"mark {mark.kind}", stroke="currentColor"),
        element(
            "text",
            label,
            x=x,
            y=y,
            dx=-2 if turned else 2,
            text_anchor="end" if turned else "start",
            class_=f"mark-label halo {mark.kind}",
        ),
    ]


def _rule(y: float, kind: str) -> Markup:
    return element("line", x1="0", x2="100%", y1=y, y2=y, class_=kind, stroke="currentColor")


def _path(across: NDArray[np.float64], up: NDArray[np.float64], kind: str) -> Markup:
    points = np.round(np.column_stack([across, 1 - up]) * _BOX, 1).tolist()
    return element(
        "path",
        d="M" + "L".join(f"{x:g} {y:g}" for x, y in points),
        class_=f"line {kind}",
        fill="none",
        stroke="currentColor",
        vector_effect="non-scaling-stroke",
    )


def _dots(across: NDArray[np.float64], up: NDArray[np.float64], kind: str, frame: Frame) -> list[Markup]:
    return [
        element("circle", cx=percent(x), cy=frame.y(y), r=2, class_=f"dot {kind}")
        for x, y in zip(across.tolist(), up.tolist(), strict=True)
    ]
