"""Counters of the infotainment computer."""

import numpy as np

from features.computing import observe
from features.states import states
from tests.support.windows import a_window, minutes


def test_the_day_s_greatest_counts() -> None:
    at = minutes()
    signals = {"storage_wear_pct": np.floor(at / 500.0), "infotainment_reboots": np.where(at < 1440, 9.0, 8.0)}
    window = a_window(at, {"speed_kmh": 0.0, **signals})
    panels = observe(window, states(window))
    assert {name: panel.values.item() for name, panel in panels.items()} == {"storage_wear": 5.0, "restarts": 8.0}
