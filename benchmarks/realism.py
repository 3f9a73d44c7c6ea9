"""The simulated fleet beside recorded cars and published facts.

Recordings are those of two electric cars (`ev_battery_fault` in the folder of recordings): other makes, older, warmer,
and driven otherwise. So alike means of the same size, not equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.likeness import FIGURES, Observed, curves, figures, observed
from benchmarks.plots import Plot, plot_page
from simulator.fleet import build_fleet
from simulator.replay import read_battery_log

RECORDINGS: Final = ("car1", "car3")
ZONE: Final = ZoneInfo("Asia/Shanghai")
START: Final = date(2026, 4, 15)
"""The recordings are of April and May."""
CARS: Final = 16
DAYS: Final = 14
SEED: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class Cars:
    """What is compared."""

    recorded: Sequence[Observed]
    simulated: Sequence[Observed]


def gather(folder: Path) -> Cars:
    """The recordings that are in the folder, and the NMC cars of a sound fleet.

    Raises:
        RecordingError: if a recording cannot be read.
    """
    files = {name: folder / "ev_battery_fault" / f"{name}_processed.zip" for name in RECORDINGS}
    recorded = []
    for name, file in files.items():
        if file.is_file():
            recording = read_battery_log(file, ZONE)
            recorded.append(Observed(name, recording.times, recording.columns))
    fleet = build_fleet(CARS, DAYS, SEED, START, [])
    wanted = {vehicle.vehicle_id for vehicle in fleet.vehicles if vehicle.record.chemistry == "NMC"}
    return Cars(recorded, [one for one in observed(fleet) if one.name in wanted])


def compare(cars: Cars) -> list[dict[str, Any]]:
    """A row a figure: each recording, and the median, least and greatest of the simulated cars."""
    recorded = {one.name: figures(one) for one in cars.recorded}
    simulated = [figures(one) for one in cars.simulated]
    rows = []
    for name, meaning in FIGURES.items():
        each = np.array([one[name] for one in simulated])
        each = each[np.isfinite(each)]
        rows.append(
            {
                "figure": name,
                **{recording: values[name] for recording, values in recorded.items()},
                "simulated": float(np.median(each)) if len(each) else float("nan"),
                "least": float(each.min(initial=np.inf)),
                "greatest": float(each.max(initial=-np.inf)),
                "what": meaning,
            }
        )
    return rows


def page(cars: Cars) -> str:
    """The curves as one page of SVG, simulated cars as one: all their samples together."""
    width = min(one.groups.shape[1] for one in cars.simulated)
    names = ("hv_voltage_v", "hv_current_a", "hv_soc_pct")
    joined = {name: np.concatenate([one.column(name) for one in cars.simulated]) for name in names}
    scale = np.concatenate([np.full(len(one.times), width / one.groups.shape[1]) for one in cars.simulated])
    joined["hv_voltage_v"] = joined["hv_voltage_v"] * scale
    joined["cell_voltages_v"] = np.concatenate([one.groups[:, :width] for one in cars.simulated])
    times = np.concatenate([one.times for one in cars.simulated])
    each = [curves(one) for one in (*cars.recorded, Observed("simulated", times, joined))]
    return plot_page(
        "Simulated and recorded batteries",
        [
            Plot("Voltage of a group at rest", "state of charge, %", "V", [one["voltage"] for one in each]),
            Plot(
                "Its distance from there under current", "current, A, charging positive", "mV", [c["sag"] for c in each]
            ),
            Plot("Spread of the groups", "current, A, charging positive", "mV", [one["spread"] for one in each]),
        ],
    )
