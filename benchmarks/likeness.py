"""What simulated and recorded traction batteries can be compared by: figures, and curves of medians."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.convoy import DayOfSamples
from simulator.fleet import Fleet

REST_A: Final = 3.0
"""Below it a battery rests; recorded cars draw about 1 A awake."""
LOAD_A: Final = 40.0
STEP_A: Final = 15.0
"""A change of current from one sample to the next that shows the battery's resistance."""
NEXT_S: Final = 30.0
"""Samples so close follow one another."""
GAP_S: Final = 600.0
NEAR_PCT: Final = 2.0
"""A state of charge so close counts as the one looked at."""
FEW: Final = 20
"""Fewer values make no figure and no point of a curve."""

FIGURES: Final = {
    "samples_per_day": "",
    "interval_driving_s": "median between samples, moving",
    "gaps_per_day": "more than ten minutes without a sample",
    "missing_cells_pct": "of the cell voltages where any is sampled",
    "spread_rest_mv": "5th to 95th percentile of the groups, at rest, median",
    "spread_load_mv": "the same under load",
    "volts_40_pct": "of a group, at rest, at that state of charge, median",
    "volts_60_pct": "",
    "volts_80_pct": "",
    "resistance_mohm": "of a group, from steps of the current",
    "current_p1_a": "out of the battery is negative",
    "current_p99_a": "",
    "temp_median_c": "hottest probe",
    "temp_range_k": "hottest probe, 5th to 95th percentile of the days",
    "temp_spread_k": "hottest less coldest probe, median",
}
"""Each figure with what it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """One car's samples, recorded or simulated, in the catalogue's names and signs."""

    name: str
    times: NDArray[np.datetime64]
    columns: Mapping[str, NDArray[np.float64]]

    def column(self, name: str) -> NDArray[np.float64]:
        """A column, NaN all over where there is none."""
        return self.columns.get(name, np.full(len(self.times), np.nan))

    @property
    def groups(self) -> NDArray[np.float64]:
        """Voltage of each group, shape (n, groups)."""
        return self.columns["cell_voltages_v"]

    @property
    def group_volts(self) -> NDArray[np.float64]:
        """The battery's voltage over its groups."""
        return np.asarray(self.column("hv_voltage_v") / self.groups.shape[1])

    def spread_mv(self) -> NDArray[np.float64]:
        """Between the 5th and 95th percentile of the groups: a single weak one does not count. NaN: not sampled."""
        spread = np.full(len(self.times), np.nan)
        whole = np.isfinite(self.groups).all(axis=1)
        low, high = np.percentile(self.groups[whole], [5, 95], axis=1) if whole.any() else np.empty((2, 0))
        spread[whole] = 1000.0 * (high - low)
        return spread


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Medians of y over bins of x, with the middle 80 %; bins with few values are left out."""

    name: str
    x: NDArray[np.float64]
    median: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def observed(fleet: Fleet) -> list[Observed]:
    """Every car's whole life."""
    parts: dict[str, list[DayOfSamples]] = {}
    for index in range(fleet.days):
        for vehicle_id, samples in fleet.day(index):
            parts.setdefault(vehicle_id, []).append(samples)
    return [_joined(vehicle_id, days) for vehicle_id, days in parts.items()]


def _joined(name: str, days: Sequence[DayOfSamples]) -> Observed:
    shapes = {column: values.shape[1:] for day in days for column, values in day.columns.items()}
    columns = {
        column: np.concatenate([day.columns.get(column, np.full((len(day.times), *shape), np.nan)) for day in days])
        for column, shape in shapes.items()
    }
    return Observed(name, np.concatenate([day.times for day in days]), columns)


def figures(car: Observed) -> dict[str, float]:
    """By the names of `FIGURES`; NaN where the car has too few samples for one."""
    seconds = np.diff(car.times) / np.timedelta64(1, "s")
    days = max(float(seconds.sum()) / 86400.0, 1e-9)
    current, soc = car.column("hv_current_a"), car.column("hv_soc_pct")
    rest, load = np.abs(current) < REST_A, current < -LOAD_A
    moving = car.column("speed_kmh") > 0.0
    spread = car.spread_mv()
    sampled = np.isfinite(car.groups).any(axis=1)
    hottest, coldest = car.column("module_temp_max_c"), car.column("module_temp_min_c")
    result = {
        "samples_per_day": len(car.times) / days,
        "interval_driving_s": _median(seconds[moving[1:] & moving[:-1]]),
        "gaps_per_day": float((seconds > GAP_S).sum()) / days,
        "missing_cells_pct": 100.0 * float(np.isnan(car.groups[sampled]).mean()),
        "spread_rest_mv": _median(spread[rest]),
        "spread_load_mv": _median(spread[load]),
        "resistance_mohm": 1000.0 * _resistance_ohm(car),
        "temp_median_c": _median(hottest),
        "temp_spread_k": _median(hottest - coldest),
    }
    for level in (40, 60, 80):
        result[f"volts_{level}_pct"] = _median(car.group_volts[rest & (np.abs(soc - level) < NEAR_PCT)])
    result["current_p1_a"], result["current_p99_a"] = np.nanpercentile(current, [1, 99]).tolist()
    low, high = np.nanpercentile(hottest, [5, 95]).tolist()
    result["temp_range_k"] = high - low
    return {name: result[name] for name in FIGURES}


def curves(car: Observed) -> dict[str, Curve]:
    """Voltage over charge at rest; sag and spread over current."""
    current, soc = car.column("hv_current_a"), car.column("hv_soc_pct")
    rest = np.abs(current) < REST_A
    resting = binned(car.name, soc[rest], car.group_volts[rest], np.arange(0.0, 101.0, 4.0))
    known = len(resting.x) > 1
    expected = np.interp(soc, resting.x, resting.median) if known else np.full(len(soc), np.nan)
    bins = np.arange(-205.0, 126.0, 10.0)
    return {
        "voltage": resting,
        "sag": binned(car.name, current, 1000.0 * (car.group_volts - expected), bins),
        "spread": binned(car.name, current, car.spread_mv(), bins),
    }


def binned(name: str, x: NDArray[np.float64], y: NDArray[np.float64], edges: NDArray[np.float64]) -> Curve:
    """The curve of y over x."""
    known = np.isfinite(x) & np.isfinite(y)
    place, y = np.digitize(x[known], edges), y[known]
    middles: list[float] = []
    rows: list[Any] = []
    for number in range(1, len(edges)):
        values = y[place == number]
        if len(values) >= FEW:
            middles.append(float(edges[number - 1] + edges[number]) / 2.0)
            rows.append(np.percentile(values, [50, 10, 90]))
    median, low, high = np.array(rows).reshape(-1, 3).T
    return Curve(name, np.array(middles), median, low, high)


def _resistance_ohm(car: Observed) -> float:
    """Change of a group's voltage over the change of current that made it, least squares through zero."""
    seconds = np.diff(car.times) / np.timedelta64(1, "s")
    amperes, volts = np.diff(car.column("hv_current_a")), np.diff(car.group_volts)
    steps = (seconds <= NEXT_S) & (np.abs(amperes) > STEP_A) & np.isfinite(volts)
    if steps.sum() < FEW:
        return float("nan")
    return float((volts[steps] @ amperes[steps]) / (amperes[steps] @ amperes[steps]))


def _median(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) >= FEW else float("nan")
