"""The infotainment computer: how worn its storage is, and how often it has restarted."""

from typing import Final

import numpy as np

from features.daily import daily
from features.panel import Panel, known
from features.states import States
from features.window import Window

SIGNALS: Final = ("storage_wear_pct", "infotainment_reboots")


def observe(window: Window, _states: States) -> dict[str, Panel]:
    """Per day `storage_wear`, %, and `restarts`, lifetime: the greatest, because both only grow."""
    inside = window.inside(window.times)
    names = {"storage_wear": "storage_wear_pct", "restarts": "infotainment_reboots"}
    return known(
        {
            feature: daily(window.times, np.where(inside, window.signal(signal), np.nan), np.max, 1)
            for feature, signal in names.items()
        }
    )
