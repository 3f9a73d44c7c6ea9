"""The sensors in the tyres: how much of the driving one of them is not heard of while the others are.

A sensor with an empty battery misses one transmission, then many, first in the cold; the car goes on showing the last
pressure that it heard. A receiver that hears nothing, or a clock that is wrong, concerns all four alike and is not
taken for a sensor's.
"""

from typing import Final

import numpy as np

from features.panel import Panel, panel
from features.states import States, hours_since
from features.tyres import WHEELS
from features.window import Window

SIGNALS: Final = tuple(f"tyre_last_seen_{wheel}_ts" for wheel in WHEELS)
UNDER_WAY_H: Final = 5.0 / 60.0
"""Sensors sleep parked: only then all of them have had the time to be heard (engineering estimate)."""
BEHIND_S: Final = 180.0
"""Behind the others: three transmissions in a row that are lost of a sensor that sends once a minute."""
MIN_SAMPLES: Final = 20
"""Of a day under way (engineering estimate)."""


def observe(window: Window, states: States) -> dict[str, Panel]:
    """`tyre_unheard`, % of the day's samples under way at which a wheel was last heard well before the others."""
    under_way = hours_since(window.times, ~states.driving) >= UNDER_WAY_H
    chosen = window.inside(window.times) & states.driving & under_way
    if chosen.sum() < MIN_SAMPLES:
        return {}
    heard = np.column_stack([window.signal(name)[chosen] for name in SIGNALS])
    complete = np.isfinite(heard).all(axis=1)
    if complete.sum() < MIN_SAMPLES:
        return {}
    heard = heard[complete]
    ordered = np.sort(heard, axis=1)
    behind = (ordered[:, 1:3].mean(axis=1)[:, None] - heard) >= BEHIND_S
    return {"tyre_unheard": panel(window.times[chosen][complete][-1:], 100.0 * behind.mean(axis=0)[None, :], WHEELS)}
