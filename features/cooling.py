"""The drive's cooling: what the coolant pump does for its speed."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel, known, panel
from features.states import States
from features.window import Window

SIGNALS: Final = (
    "coolant_pump_current_a",
    "coolant_pump_speed_rpm",
    "coolant_flow_lpm",
)
RUNNING_RPM: Final = 500.0
"""Below it a pump is starting or stopping."""
EQUAL_SPEED: Final = 0.04
"""Within this share of the day's slowest running speed samples count as equally fast: current goes with its square."""
MIN_SAMPLES: Final = 10
"""A day with fewer says nothing (engineering estimate)."""


def observe(window: Window, states: States) -> dict[str, Panel]:
    """Per day `coolant_flow`, l/min at 1000 rpm, and `coolant_pump_current`, A at the slowest speed."""
    chosen = window.inside(window.times) & states.driving
    times = window.times[chosen]
    speed = window.signal("coolant_pump_speed_rpm")[chosen]
    running = speed > RUNNING_RPM
    slowest = np.quantile(speed[running], 0.1) if running.any() else np.nan
    steady = running & (np.abs(speed - slowest) <= EQUAL_SPEED * slowest)
    flow = np.where(running, window.signal("coolant_flow_lpm")[chosen] / np.where(running, speed, 1.0) * 1000.0, np.nan)
    current = np.where(steady, window.signal("coolant_pump_current_a")[chosen], np.nan)
    return known(
        {
            "coolant_flow": _daily(times, flow),
            "coolant_pump_current": _daily(times, current),
        }
    )


def _daily(times: NDArray[np.datetime64], values: NDArray[np.float64]) -> Panel:
    sampled = np.isfinite(values)
    if sampled.sum() < MIN_SAMPLES:
        return panel([], [])
    return panel(times[sampled][-1:], [np.median(values[sampled])])
