"""Isolation resistance of the high-voltage system per volt, while its measurement can be believed."""

from datetime import timedelta
from typing import Final

import numpy as np

from features.panel import Panel, known, panel
from features.states import States
from features.window import Window, held

SIGNALS: Final = ("isolation_kohm", "isolation_valid", "hv_voltage_v", "hv_current_a")
DC_CHARGING_KW: Final = 25.0
"""More than on-board chargers pass (22 kW): the station's monitor measures then, the car's is off (IEC 61851-23)."""
LIVE_V: Final = 60.0
"""Up to here it is no high voltage (UN ECE R100)."""
LOW_SHARE: Final = 0.1
"""The quantile of a day that counts: low enough for a fault that shows in the wet only, and not the single lowest
reading, which often is a disturbance (engineering estimate)."""
MIN_SAMPLES: Final = 10
"""A day with fewer says nothing, because a single reading would decide (engineering estimate)."""
VOLTAGE_HELD: Final = timedelta(minutes=10)


def observe(window: Window, states: States) -> dict[str, Panel]:
    """`isolation`, Ohm/V: the low quantile of the day's valid readings."""
    times = window.times
    volts = held(window.signal("hv_voltage_v"), times, VOLTAGE_HELD)
    power_kw = held(window.signal("hv_current_a"), times, VOLTAGE_HELD) * volts / 1000.0
    suspended = (window.signal("isolation_valid") == 0) | (states.charging & (power_kw > DC_CHARGING_KW))
    usable = window.inside(times) & (volts > LIVE_V) & ~suspended
    per_volt = np.where(usable, window.signal("isolation_kohm") * 1000.0 / np.where(usable, volts, 1.0), np.nan)
    sampled = np.isfinite(per_volt)
    if sampled.sum() < MIN_SAMPLES:
        return {}
    return known({"isolation": panel(times[sampled][-1:], [np.quantile(per_volt[sampled], LOW_SHARE)])})
