"""Curves of one quantity over another as a page of SVG: medians as lines, the middle 80 % as bands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from benchmarks.likeness import Curve
from reports.axes import ValueAxis
from reports.svg import element, join

_WIDTH, _HEIGHT, _LEFT, _BELOW = 640, 320, 60, 60
_COLOURS: Final = ("#1b6ca8", "#c8553d", "#2a7f62", "#7a5195")


@dataclass(frozen=True, slots=True)
class Plot:
    """What one drawing shows."""

    title: str
    x_title: str
    y_title: str
    curves: Sequence[Curve]


def plot_page(title: str, plots: Sequence[Plot]) -> str:
    """All plots below each other, as one HTML file."""
    head = element("meta", charset="utf-8") + element("title", title)
    style = "font-family: sans-serif; max-width: 45rem; margin: 2rem auto"
    body = element("body", element("h1", title), *(_drawing(plot) for plot in plots), style=style)
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _drawing(plot: Plot) -> Markup:
    shown = [(curve, colour) for curve, colour in zip(plot.curves, _COLOURS, strict=False) if len(curve.x)]
    if not shown:
        return element("p", f"{plot.title}: no samples.")
    across = ValueAxis.around(np.concatenate([curve.x for curve, _ in shown]))
    up = ValueAxis.around(np.concatenate([part for curve, _ in shown for part in (curve.low, curve.high)]))
    layers = [_grid(plot, across, up)]
    for number, (curve, colour) in enumerate(shown):
        x = _LEFT + (_WIDTH - _LEFT) * across.positions(curve.x)
        band = _points(np.append(x, x[::-1]), np.append(_down(up, curve.low), _down(up, curve.high)[::-1]))
        layers.append(element("polygon", points=band, fill=colour, fill_opacity=0.15))
        layers.append(element("polyline", points=_points(x, _down(up, curve.median)), fill="none", stroke=colour))
        layers.append(element("text", curve.name, x=_LEFT + 80 * number, y=_HEIGHT + _BELOW - 2, fill=colour))
    drawing = element(
        "svg", *layers, viewBox=f"0 0 {_WIDTH} {_HEIGHT + _BELOW}", role="img", aria_label=plot.title, font_size=12
    )
    return element("section", element("h2", plot.title), drawing)


def _grid(plot: Plot, across: ValueAxis, up: ValueAxis) -> Markup:
    parts = []
    for tick in across.ticks():
        x = _LEFT + (_WIDTH - _LEFT) * tick.position
        parts.append(element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=_HEIGHT, stroke="#ddd"))
        parts.append(element("text", tick.label, x=f"{x:.1f}", y=_HEIGHT + 16, text_anchor="middle"))
    for tick in up.ticks():
        y = _HEIGHT * (1.0 - tick.position)
        parts.append(element("line", x1=_LEFT, x2=_WIDTH, y1=f"{y:.1f}", y2=f"{y:.1f}", stroke="#ddd"))
        parts.append(element("text", tick.label, x=_LEFT - 6, y=f"{y + 4:.1f}", text_anchor="end"))
    middle = (_LEFT + _WIDTH) / 2
    parts.append(element("text", plot.x_title, x=middle, y=_HEIGHT + 36, text_anchor="middle"))
    parts.append(element("text", plot.y_title, x=4, y=12))
    return join(parts)


def _down(axis: ValueAxis, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_HEIGHT * (1.0 - axis.positions(values)))


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
