"""Charging with alternating current: what the car asks for, and what the wall holds."""

from datetime import timedelta
from typing import Final

import numpy as np

from features.daily import daily
from features.panel import Panel, known
from features.states import States
from features.window import Window, held

SIGNALS: Final = ("charge_phases", "charge_current_request_a", "charge_current_a", "charge_voltage_v", "place_id")
FIRST_PLACE: Final = 1.0
"""A car numbers the places that it returns to as it learns them; the first is where it is at home (estimate)."""
HELD: Final = timedelta(minutes=10)
LOADED_A: Final = 8.0
"""Below it a weak line does not show (engineering estimate)."""
MIN_SAMPLES: Final = 3


def observe(window: Window, states: States) -> dict[str, Panel]:
    """Per day `charge_offer`, A over all phases that the car asks for at most, and `wall_voltage`, V under load.

    Both at home, because other places offer other currents and have other lines; anywhere, if the car tells no places.
    """
    times = window.times
    phases = held(window.signal("charge_phases"), times, HELD)
    place = held(window.signal("place_id"), times, HELD)
    at_home = np.isnan(place) | (place == FIRST_PLACE)
    chosen = window.inside(times) & states.charging & (phases > 0) & at_home
    offer = np.where(chosen, phases * window.signal("charge_current_request_a"), np.nan)
    loaded = chosen & (held(window.signal("charge_current_a"), times, HELD) >= LOADED_A)
    volts = np.where(loaded, window.signal("charge_voltage_v"), np.nan)
    return known(
        {
            "charge_offer": daily(times, offer, np.max, MIN_SAMPLES),
            "wall_voltage": daily(times, volts, least=MIN_SAMPLES),
        }
    )
