"""The combustion engine: how warm its coolant is once it is warm, and the voltage that its alternator holds."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.daily import daily
from features.panel import Panel, known
from features.states import States
from features.window import Window, held

SIGNALS: Final = ("engine_speed_rpm", "engine_coolant_temp_c", "lv_voltage_v")
RUNNING_RPM: Final = 400.0
"""A starter turns an engine at 200 to 300 rpm, and engines idle at 600 and more."""
SPEED_HELD: Final = timedelta(minutes=2)
"""The engine's speed stands so long after its sample; a longer silence is taken for the end of a run."""
WARM_AFTER_H: Final = 0.25
"""After so much running a sound engine has reached its thermostat's temperature (engineering estimate; a thermostat's
own diagnosis, P0128, waits for as much fuel as ten to fifteen minutes burn)."""
SETTLED_AFTER_H: Final = 1.0 / 60.0
"""The first minute is the start's: an alternator waits until the engine idles."""
BEST_SHARE: Final = 0.9
"""The day's upper readings: what the alternator holds at its best moments, whatever is switched on, and however a
managed one lets the voltage sag while the car accelerates."""


def observe(window: Window, _states: States) -> dict[str, Panel]:
    """Per day `engine_coolant`, degC, of the warm engine, and `charging_voltage`, V, of the running one."""
    speed = window.signal("engine_speed_rpm")
    if not np.isfinite(speed).any():
        return {}
    times = window.times
    run_h = _run_h(times, held(speed, times, SPEED_HELD) > RUNNING_RPM)
    inside = window.inside(times)
    coolant = np.where(inside & (run_h >= WARM_AFTER_H), window.signal("engine_coolant_temp_c"), np.nan)
    volts = np.where(inside & (run_h >= SETTLED_AFTER_H), window.signal("lv_voltage_v"), np.nan)
    return known(
        {
            "engine_coolant": daily(times, coolant),
            "charging_voltage": daily(times, volts, lambda values: np.quantile(values, BEST_SHARE)),
        }
    )


def _run_h(times: NDArray[np.datetime64], running: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Hours for which the engine has been seen running without a break; NaN while it is not."""
    begins = running.copy()
    begins[1:] &= ~running[:-1] | (np.diff(times) > np.timedelta64(SPEED_HELD))
    start = np.maximum.accumulate(np.where(begins, np.arange(len(times)), 0))
    return np.where(running, (times - times[start]) / np.timedelta64(1, "h"), np.nan)
