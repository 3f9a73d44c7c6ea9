"""The drive units: how far stators and inverters are above their coolant.

Both warm up with the power that passes, so that one tells what the other should be: their proportion hardly depends on
how the car is driven. A worn power stage heats the inverter, shorted turns heat the stator.
"""

from datetime import timedelta
from typing import Final

import numpy as np

from features.daily import MIN_SAMPLES
from features.panel import Panel, known, panel
from features.states import States
from features.window import Window, held

AXLES: Final = ("f", "r")
SIGNALS: Final = (
    *(f"motor_stator_temp_{axle}_c" for axle in AXLES),
    *(f"inverter_temp_{axle}_c" for axle in AXLES),
    "motor_coolant_temp_c",
)
COOLANT_HELD: Final = timedelta(minutes=5)


def observe(window: Window, states: States) -> dict[str, Panel]:
    """`stator_rise` and `inverter_rise`, K above the coolant: the day's means while driving, per axle."""
    chosen = window.inside(window.times) & states.driving
    times = window.times[chosen]
    coolant = held(window.signal("motor_coolant_temp_c"), window.times, COOLANT_HELD)
    means = {}
    for part in ("stator", "inverter"):
        name = "motor_stator" if part == "stator" else part
        rises = np.column_stack([window.signal(f"{name}_temp_{axle}_c") - coolant for axle in AXLES])[chosen]
        sampled = np.isfinite(rises)
        enough = sampled.sum(axis=0) >= MIN_SAMPLES
        sums = np.where(sampled, rises, 0.0).sum(axis=0)
        means[f"{part}_rise"] = np.where(enough, sums / np.maximum(sampled.sum(axis=0), 1), np.nan)
    return known({name: panel(times[-1:], mean[None, :], AXLES) for name, mean in means.items() if len(times)})
