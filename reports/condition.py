"""The condition of the fleet: one line per car and day, the cars with an open problem in colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from reports.charts import LineChart
from reports.problems import Problem
from storage.health import DailyCondition
from vehicle.failure import Component
from vehicle.finding import Trace
from vehicle.moment import instant


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a car's condition."""

    field: str
    """Of `DailyCondition`."""
    title: str
    unit: str
    component: Component


MEASURES: Final = (
    Measure("lv_rest_v", "12 V battery at rest", "V", Component.LOW_VOLTAGE_BATTERY),
    Measure("tyre_spread_kpa", "Fullest minus emptiest tyre", "kPa", Component.TYRE),
    Measure("cell_spread_mv", "Highest minus lowest cell group", "mV", Component.TRACTION_BATTERY),
    Measure("isolation_kohm", "High-voltage isolation", "kOhm", Component.HIGH_VOLTAGE_SYSTEM),
)


def condition_charts(conditions: Sequence[DailyCondition], problems: Sequence[Problem]) -> list[LineChart]:
    """A chart per measure that any car was measured by; `conditions` by vehicle and day."""
    charts = (_chart(measure, conditions, problems) for measure in MEASURES)
    return [chart for chart in charts if any(np.isfinite(trace.values).any() for trace in chart.traces)]


def _chart(measure: Measure, conditions: Sequence[DailyCondition], problems: Sequence[Problem]) -> LineChart:
    troubled = {p.alert.vehicle_id for p in problems if p.alert.component == measure.component}
    traces = tuple(
        _trace(car, measure, list(days)) for car, days in groupby(conditions, key=lambda one: one.vehicle_id)
    )
    return LineChart(
        key=f"condition-{measure.field.replace('_', '-')}",
        title=measure.title,
        traces=traces,
        unit=measure.unit,
        company=tuple(trace.label for trace in traces if trace.label not in troubled),
        height=130,
    )


def _trace(car: str, measure: Measure, days: Sequence[DailyCondition]) -> Trace:
    values = np.array([getattr(day, measure.field) for day in days], dtype=np.float64)
    times = np.array([instant(day.day) for day in days], dtype="datetime64[us]")
    return Trace(car, measure.unit, times, values)
