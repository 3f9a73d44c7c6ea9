"""The drive's cooling: what the coolant pump does for its speed, and how warm the radiator leaves the coolant."""

from datetime import timedelta
from typing import Final

import numpy as np

from features.daily import daily
from features.panel import Panel, known
from features.states import States
from features.window import Window, held

SIGNALS: Final = (
    "coolant_pump_current_a",
    "coolant_pump_speed_rpm",
    "coolant_flow_lpm",
    "radiator_outlet_temp_c",
    "ambient_temp_c",
)
RUNNING_RPM: Final = 500.0
"""Below it a pump is starting or stopping."""
EQUAL_SPEED: Final = 0.04
"""Within this share of the day's slowest running speed samples count as equally fast: current goes with its square."""
FAST_KMH: Final = 40.0
"""With so much wind a sound radiator leaves the coolant within a few kelvin of the air (engineering estimate)."""
COLD_SHARE: Final = 0.05
"""The day's coolest readings, as after a night, are the air's: what they are off by is the sensors' (likewise)."""
SPEED_HELD: Final = timedelta(minutes=2)
AIR_HELD: Final = timedelta(minutes=30)


def observe(window: Window, states: States) -> dict[str, Panel]:
    """Per day `coolant_flow`, l/min at 1000 rpm, `coolant_pump_current`, A at the slowest speed, `radiator_rise`, K."""
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
            "coolant_flow": daily(times, flow),
            "coolant_pump_current": daily(times, current),
            "radiator_rise": _radiator_rise(window),
        }
    )


def _radiator_rise(window: Window) -> Panel:
    """The radiator's outlet above the air on fast roads, beyond what it is above it in the cold car."""
    inside = window.inside(window.times)
    rise = window.signal("radiator_outlet_temp_c") - held(window.signal("ambient_temp_c"), window.times, AIR_HELD)
    known_rise = rise[inside & np.isfinite(rise)]
    cold = np.quantile(known_rise, COLD_SHARE) if len(known_rise) else np.nan
    fast = inside & (held(window.signal("speed_kmh"), window.times, SPEED_HELD) > FAST_KMH)
    return daily(window.times, np.where(fast, rise - cold, np.nan))
