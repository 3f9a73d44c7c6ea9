"""The low-voltage battery: what it holds after equal rest, and how deep it dips when the car wakes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel, known, panel
from features.states import States, hours_since
from features.window import Window

SIGNALS: Final = ("lv_voltage_v", "dcdc_enabled")
SETTLED_H: Final = 3.0
JUDGED_H: Final = 6.0
"""A lead-acid battery's surface charge is gone after some three hours; what is read from then to the sixth hour is what
it holds (engineering estimate). Later readings tell how long the car has stood rather than how the battery is."""
SUPPORTED_V: Final = 13.5
"""Above it a converter or charger holds the voltage, where nothing is said about the converter."""
MIN_SAMPLES: Final = 2
DIP_AFTER_H: Final = 1.0
"""A car that slept shorter may not have slept at all."""
BEFORE_DIP: Final = 4
"""The median of so many readings before the last one of a rest is what the dip falls from."""


def observe(window: Window, states: States) -> dict[str, Panel]:
    """`lv_rest_voltage`, V, known at the sixth hour of each rest, and `lv_wake_dip`, V, at the end of each."""
    volts = window.signal("lv_voltage_v")
    sampled = np.isfinite(volts)
    times, volts = window.times[sampled], volts[sampled]
    converter = window.signal("dcdc_enabled")[sampled]
    supported = (converter == 1) | (np.isnan(converter) & (volts > SUPPORTED_V))
    busy = supported | (states.driving | states.charging)[sampled]
    panels = {"lv_rest_voltage": _rests(times, volts, busy), "lv_wake_dip": _dips(times, volts, busy)}
    return known({name: one.at(window.inside(one.times)) for name, one in panels.items()})


def _rests(times: NDArray[np.datetime64], volts: NDArray[np.float64], busy: NDArray[np.bool_]) -> Panel:
    """Per rest whose beginning was seen the median from the third to the sixth hour."""
    rest_h = hours_since(times, busy)
    spell = np.cumsum(busy)
    judged = (spell > 0) & (rest_h >= SETTLED_H) & (rest_h < JUDGED_H)
    at, values = [], []
    for rest in np.unique(spell[judged]):
        chosen = np.flatnonzero(judged & (spell == rest))
        known_at = times[chosen[-1]] + np.timedelta64(round((JUDGED_H - rest_h[chosen[-1]]) * 3.6e9), "us")
        cut_short = chosen[-1] + 1 < len(times) and times[chosen[-1] + 1] < known_at
        if len(chosen) >= MIN_SAMPLES and not cut_short:
            at.append(known_at)
            values.append(float(np.median(volts[chosen])))
    return panel(at, values)


def _dips(times: NDArray[np.datetime64], volts: NDArray[np.float64], busy: NDArray[np.bool_]) -> Panel:
    """Per rest the last reading's fall below the ones before it."""
    last = np.flatnonzero(~busy[:-1] & busy[1:])
    rest_h = hours_since(times, busy)
    at, values = [], []
    for row in last.tolist():
        before = slice(row - BEFORE_DIP, row)
        if row >= BEFORE_DIP and rest_h[row] >= DIP_AFTER_H and not busy[before].any():
            at.append(times[row])
            values.append(float(np.median(volts[before]) - volts[row]))
    return panel(at, values)
