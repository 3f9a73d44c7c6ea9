"""What rules would have said over a history, as one page: a row per rule, its fires as marks along one time axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from markupsafe import Markup

from reports.axes import TimeAxis
from reports.pages import page_environment, style, write_page
from reports.svg import element, percent
from reports.wording import day, near_time

LANES: Final[Mapping[str, int]] = {"unknown": 14, "right": 5, "wrong": 23}
"""Pixels from the top of a strip, by what is known of a fire; those drawn later lie above."""
STEPS: Final = 240
"""Marks of one kind that share one of so many stretches of the axis are one mark, wider and with their number."""
BARS: Final = 90
"""Of all rules together along the axis: their marks would cover each other."""
_STRIP: Final = 28
_AXIS: Final = 20
_EDGE: Final = 0.04
"""Labels nearer to an end of the axis than this share are turned inwards."""
_CROSS: Final = "M-3.2 -3.2L3.2 3.2M-3.2 3.2L3.2 -3.2"
_TOLD: Final = 3
"""So many fires of one mark are named."""


@dataclass(frozen=True, slots=True)
class FireMark:
    """One fire."""

    at: datetime
    vehicle_id: str
    kind: str
    """``right``, ``wrong`` or ``unknown``."""


@dataclass(frozen=True, slots=True)
class FireSeries:
    """The fires of one rule in one version and view, and what they are worth; what nobody knows is None."""

    label: str
    """Empty where there is one series only."""
    marks: tuple[FireMark, ...]
    per_vehicle_month: float
    per_shift: tuple[float, int, int]
    """Mean, 95th percentile and most."""
    precision: float | None = None
    recall: float | None = None
    faults: int | None = None
    lead_days: float | None = None

    def count(self, kind: str) -> int:
        """How many fires there are of a kind."""
        return sum(one.kind == kind for one in self.marks)


@dataclass(frozen=True, slots=True)
class FireRow:
    """One rule, or all together; it has the same series as every other row."""

    name: str
    title: str
    series: tuple[FireSeries, ...]

    @property
    def is_worth_a_row(self) -> bool:
        """Whether it fired, or should have."""
        return any(one.marks or one.faults for one in self.series)


@dataclass(frozen=True, slots=True)
class FirePage:
    """What the page shows."""

    rows: tuple[FireRow, ...]
    whole: FireRow
    """All rules together."""
    axis: TimeAxis
    vehicles: int
    vehicle_days: int
    samples: int
    shift_hours: float
    reference: str = ""
    """Who says what was right: ``truth``, ``verdicts``, or nobody."""
    source: str = ""
    """Where the history is stored."""
    notes: tuple[str, ...] = ()
    """Sentences on what the figures mean."""


def write_fire_page(shown: FirePage, path: Path) -> Path:
    """Write the page as one HTML file that needs no other, and return where it is.

    Raises:
        OSError: if it cannot be written.
    """
    rows = sorted((row for row in shown.rows if row.is_worth_a_row), key=_liveliest)
    content = {
        "style": style("chart.css", "fleet.css", "fires.css"),
        "page": shown,
        "rows": rows,
        "quiet": sorted(row.name for row in shown.rows if not row.is_worth_a_row),
    }
    return write_page(_PAGES.get_template("fires.html").render(content), path)


def fire_strip(series: FireSeries, axis: TimeAxis) -> Markup:
    """One row's fires along the axis: right ones above, wrong ones below, others between."""
    lines = [percent(tick.position) for tick in axis.ticks()]
    parts = [element("line", x1=x, x2=x, y1=0, y2=_STRIP, class_="grid") for x in lines]
    for kind in LANES:
        parts += [_mark(kind, marks, axis) for marks in _together(series, kind, axis)]
    counts = ", ".join(f"{series.count(kind)} {kind}" for kind in LANES if series.count(kind))
    words = f"{_counted(len(series.marks), 'fire')}: {counts}" if counts else "no fire"
    return _strip(parts, _STRIP, words)


def density_strip(series: FireSeries, axis: TimeAxis) -> Markup:
    """Many rules' fires along the axis: as many as a bar is high, by what is known of them."""
    counts = {kind: [0] * BARS for kind in ("right", "unknown", "wrong")}
    for one in series.marks:
        counts[one.kind][min(int(axis.position(one.at) * BARS), BARS - 1)] += 1
    most = max(map(sum, zip(*counts.values(), strict=True)))
    parts = [element("line", x1=0, x2="100%", y1=_STRIP, y2=_STRIP, class_="axis")]
    for place, several in enumerate(zip(*counts.values(), strict=True)):
        bottom = float(_STRIP)
        for kind, count in zip(counts, several, strict=True):
            height = round(_STRIP * count / most, 1) if count else 0.0
            bottom -= height
            if count:
                x, width = percent(place / BARS), percent(0.8 / BARS)
                parts.append(element("rect", x=x, width=width, y=f"{bottom:.1f}", height=height, class_=f"heap {kind}"))
    return _strip(parts, _STRIP, f"{_counted(len(series.marks), 'fire')}, at most {most} in one bar")


def date_strip(axis: TimeAxis) -> Markup:
    """The dates of the axis, for the head of the column."""
    labels = [
        element("text", tick.label, x=percent(tick.position), y=13, text_anchor=_anchor(tick.position), class_="tick")
        for tick in axis.ticks()
    ]
    return _strip(labels, _AXIS, f"{day(axis.start)} to {day(axis.end)}")


def _strip(parts: Sequence[Markup], height: int, words: str) -> Markup:
    return element(
        "svg", *parts, class_="strip", role="img", aria_label=words, width="100%", height=height, overflow="visible"
    )


def _together(series: FireSeries, kind: str, axis: TimeAxis) -> list[list[FireMark]]:
    places: dict[int, list[FireMark]] = {}
    for one in series.marks:
        if one.kind == kind:
            places.setdefault(int(axis.position(one.at) * STEPS), []).append(one)
    return [places[place] for place in sorted(places)]


def _mark(kind: str, marks: Sequence[FireMark], axis: TimeAxis) -> Markup:
    x, y = percent(axis.position(marks[0].at)), LANES[kind]
    several = " many" if len(marks) > 1 else ""
    title = element("title", _words(kind, marks))
    if kind == "wrong":
        cross = element("path", title, d=_CROSS, class_=f"fire wrong{several}")
        return element("svg", cross, x=x, y=y, overflow="visible")
    return element("circle", title, cx=x, cy=y, r=4 if several else 3, class_=f"fire {kind}{several}")


def _words(kind: str, marks: Sequence[FireMark]) -> str:
    named = "; ".join(f"{one.vehicle_id} {near_time(one.at)}" for one in marks[:_TOLD])
    more = f" and {len(marks) - _TOLD} more" if len(marks) > _TOLD else ""
    return f"{kind}: {named}{more}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _anchor(position: float) -> str:
    if position < _EDGE:
        return "start"
    return "end" if position > 1 - _EDGE else "middle"


def _liveliest(row: FireRow) -> tuple[int, str]:
    return -max(len(one.marks) for one in row.series), row.name


_PAGES: Final = page_environment(Path(__file__).parent / "templates")
_PAGES.filters.update(fire_strip=fire_strip, date_strip=date_strip, density_strip=density_strip, counted=_counted)
