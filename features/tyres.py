"""Tyre pressure as a mass of air: absolute, taken to one temperature, wheel against wheel.

Cold weather lowers all four gauge pressures by about 1 kPa per kelvin and says nothing; what one wheel loses against
the other three has leaked.
"""

from datetime import timedelta
from math import isfinite
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel, known, panel
from features.states import States
from features.window import Window, held

WHEELS: Final = ("fl", "fr", "rl", "rr")
SIGNALS: Final = (
    *(f"tyre_pressure_{wheel}_kpa" for wheel in WHEELS),
    *(f"tyre_temp_{wheel}_c" for wheel in WHEELS),
    "ambient_temp_c",
)
ATMOSPHERE_KPA: Final = 101.3
"""Standard atmosphere: gauge pressure plus this is absolute."""
KELVIN: Final = 273.15
REFERENCE_C: Final = 20.0
"""To which every pressure is taken: tyre makers give cold pressures for it."""
COLD_AFTER_H: Final = 3.0
"""Tyre makers call a tyre cold that has stood for three hours; then it has the temperature of the air."""
MIN_SAMPLES: Final = 5
"""Of a wheel and day (engineering estimate)."""
TEMPERATURE_HELD: Final = timedelta(minutes=30)


def observe(window: Window, states: States) -> dict[str, Panel]:
    """Per day `tyre_gap`, kPa of a wheel above the other three, and `tyre_deficit`, % below recommended pressure."""
    times = window.times
    day = window.inside(times)
    air = held(window.signal("ambient_temp_c"), times, TEMPERATURE_HELD)
    air = np.where(states.rest_h >= COLD_AFTER_H, air, np.nan)
    pressures = np.column_stack([_at_reference(window, air, wheel) for wheel in WHEELS])[day]
    sampled = np.isfinite(pressures)
    daily = np.array(
        [
            np.median(column[at]) if at.sum() >= MIN_SAMPLES else np.nan
            for column, at in zip(pressures.T, sampled.T, strict=True)
        ]
    )
    if not np.isfinite(daily).any():
        return {}
    at = times[day][sampled.any(axis=1)][-1:]
    panels = {"tyre_gap": panel(at, _gaps(daily)[None, :], WHEELS)}
    reference = window.vehicle.tyre_reference_kpa
    if reference:
        panels["tyre_deficit"] = panel(at, (1.0 - daily / reference)[None, :] * 100.0, WHEELS)
    return known(panels)


def _at_reference(window: Window, air: NDArray[np.float64], wheel: str) -> NDArray[np.float64]:
    """Gauge pressure that the wheel's air would have at `REFERENCE_C`, at the frame's times.

    `air`: what a cold tyre's temperature is where its own is not known.
    """
    pressure = window.signal(f"tyre_pressure_{wheel}_kpa")
    own = window.signal(f"tyre_temp_{wheel}_c")
    if not np.isfinite(own[np.isfinite(pressure)]).all():
        own = held(own, window.times, TEMPERATURE_HELD)
    temperature = np.where(np.isfinite(own), own, air)
    absolute = (pressure + ATMOSPHERE_KPA) * (REFERENCE_C + KELVIN) / (temperature + KELVIN)
    return absolute - ATMOSPHERE_KPA


def _gaps(daily: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each wheel less the median of the others; NaN with fewer than two others to compare."""
    pressures = daily.tolist()
    gaps = []
    for wheel, pressure in enumerate(pressures):
        others = [one for place, one in enumerate(pressures) if place != wheel and isfinite(one)]
        # One other wheel cannot tell which of the two leaks.
        gaps.append(pressure - median(others) if len(others) > 1 else np.nan)
    return np.array(gaps)
