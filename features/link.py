"""The link to the car: how much of what it drove no sample tells of.

Asleep a car may say nothing for days. One that comes out of a silence further on than it went in was awake, and what it
should have sent is lost; cars that keep what they cannot send, and send it late, have no such gap once it has come.
"""

from datetime import timedelta
from typing import Final

import numpy as np

from features.panel import Panel, panel
from features.states import States
from features.window import Window, held

SIGNALS: Final = ("odometer_km",)
SILENT_S: Final = 600.0
"""A shorter silence is a slow sender, or a tunnel (engineering estimate)."""
LEAST_KM: Final = 5.0
"""A day with less driving says nothing (engineering estimate)."""
FOREVER: Final = timedelta(days=365)


def observe(window: Window, _states: States) -> dict[str, Panel]:
    """`unseen_driving`, % of the day's distance that was driven while the car was silent."""
    rows = np.flatnonzero(window.inside(window.times))
    if not len(rows):
        return {}
    odometer = held(window.signal("odometer_km"), window.times, FOREVER)
    # With the sample before the day's first one: a silence over midnight belongs to the day on which it ends.
    start = max(int(rows[0]) - 1, 0)
    times, km = window.times[start : rows[-1] + 1], odometer[start : rows[-1] + 1]
    further = np.diff(km)
    silent = np.diff(times) / np.timedelta64(1, "s") > SILENT_S
    driven = float(np.nansum(further))
    if not driven >= LEAST_KM:
        return {}
    return {"unseen_driving": panel(times[-1:], [100.0 * float(np.nansum(further[silent])) / driven])}
