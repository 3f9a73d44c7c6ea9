"""How long each failure mode takes to show and to fail, and how a car with it looks beside its sound twin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from markupsafe import Markup

from benchmarks.symptoms import SYMPTOMS, daily
from benchmarks.twins import ONSET_DAY, Twins, live_twins
from reports import charts
from reports.charts import LineChart, line_chart
from reports.frame import Mark
from reports.svg import element
from reports.wording import lower_first, place, title
from simulator.car import build_car
from simulator.fault_modes import FAULT_MODES
from simulator.faults import FaultOrder
from simulator.fleet import Fleet
from vehicle.failure import FailureMode
from vehicle.finding import Trace

CARS: Final = 24
STRUCK_DAY: Final = 2.0
SPANS: Final = (0.0, 2.0, 8.0, 17.0, 27.0, 50.0, 100.0)
"""Modes whose median durations lie between two of these, in days, live together."""
_NIGHT: Final = np.timedelta64(12, "h")


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the onset in the cars of a fleet, at the tenth, fiftieth and ninetieth percentile; NaN where none."""

    mode: str
    visible: tuple[float, float, float]
    failed: tuple[float, float, float]
    cars_visible: int
    cars_failed: int


def span(mode: FailureMode, seed: int, start: date) -> Span:
    """Strike every car of a fleet with the mode, and wait for twice its median duration and twelve days."""
    days = round(STRUCK_DAY + 2.0 * FAULT_MODES[mode].duration_days + 12.0)
    sound = [build_car(seed, number, days, ()) for number in range(CARS)]
    orders = [FaultOrder(mode, car.vehicle_id, STRUCK_DAY) for car in sound]
    struck = [build_car(seed, car.number, days, (order,)) for car, order in zip(sound, orders, strict=True)]
    faults = Fleet(struck, days, seed, start).truth.faults
    visible = [(one.first_visible_at - one.onset_at) / timedelta(days=1) for one in faults if one.first_visible_at]
    failed = [(one.failed_at - one.onset_at) / timedelta(days=1) for one in faults if one.failed_at]
    return Span(mode.value, _percentiles(visible), _percentiles(failed), len(visible), len(failed))


def _percentiles(days: Sequence[float]) -> tuple[float, float, float]:
    if not days:
        return (float("nan"),) * 3
    low, middle, high = np.percentile(days, [10.0, 50.0, 90.0]).tolist()
    return low, middle, high


def page(seed: int, start: date) -> str:
    """A chart a mode, in one HTML file: the telling signal of a struck car and of its twin, day by day."""
    drawn: dict[FailureMode, Markup] = {}
    for low, high in pairwise(SPANS):
        modes = [mode for mode, one in FAULT_MODES.items() if low < one.duration_days <= high]
        days = round(ONSET_DAY + 1.25 * high + 9.0)
        for mode, twins in live_twins(modes, seed, days, start).items():
            drawn[mode] = chart(mode, twins, start, days)
    style = Path(charts.__file__).with_name("chart.css").read_text(encoding="utf-8")
    layout = "body { font-family: sans-serif; max-width: 46rem; margin: 2rem auto } .chart { margin-bottom: 2rem }"
    head = element("meta", charset="utf-8") + element("title", "Failure modes of the simulated fleet")
    head += element("style", Markup(style + layout))  # noqa: S704 -- our own style sheet
    told = f"Each signal of a car with the fault and of the same car without it, by day; seed {seed}."
    body = element(
        "body",
        element("h1", "Failure modes, with and without"),
        element("p", told),
        *(drawn[mode] for mode in FAULT_MODES),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def chart(mode: FailureMode, twins: Twins, start: date, days: int) -> Markup:
    """One mode's telling signal by day, with and without the fault."""
    symptom, location = SYMPTOMS[mode], "".join(twins.fault.locations)
    times = np.datetime64(start, "us") + np.arange(days).astype("timedelta64[D]") + _NIGHT
    lives = (("with the fault", twins.struck), ("without", twins.healthy))
    traces = [Trace(label, symptom.unit, times, daily(life, symptom, location, start, days)) for label, life in lives]
    marks = [
        Mark(at, label, kind)
        for label, kind, at in (
            ("onset", "opened", twins.fault.onset_at),
            ("visible", "now", twins.fault.first_visible_at),
            ("failed", "expected", twins.fault.failed_at),
        )
        if isinstance(at, datetime)
    ]
    where = f", {place(location)}" if location else ""
    name = f"{FAULT_MODES[mode].number} {title(mode)}: {lower_first(symptom.title)}{where}"
    return line_chart(LineChart(mode.value.replace("_", "-"), name, tuple(traces), symptom.unit, marks=tuple(marks)))
