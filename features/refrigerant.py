"""The refrigerant circuit: how cold its cold side is for the air, and what its compressor takes for its work."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.daily import daily
from features.panel import Panel, known
from features.states import States, hours_since
from features.window import Window, held

SIGNALS: Final = (
    "ac_compressor_power_kw",
    "refrigerant_high_kpa",
    "refrigerant_low_kpa",
    "cabin_temp_c",
    "ambient_temp_c",
)
ZERO_C: Final = 273.15
BOILS_KPA: Final = 316.0
BOILS_K: Final = 2500.0
"""R-1234yf boils at 0 degC under 316 kPa absolute; how fast that pressure grows is the slope of its tables up to
60 degC (Clausius and Clapeyron)."""
RUNNING_KW: Final = 0.3
"""Below it a compressor is starting, or off."""
COMFORT_C: Final = 21.0
MILD_K: Final = 6.0
"""Closer to comfort the air asks for so little that the circuit works in pulses (engineering estimate)."""
FREE_K: Final = 3.0
"""So much of the difference to the outside air the sun and those who sit in the car make up for: rooms kept at 21 degC
need heating below 18 (the usual base of heating degree days)."""
WEATHER_K: Final = 8.0
"""Nearer to comfort than this what they make up for weighs as much as the rest (engineering estimate)."""
RUN_IN: Final = timedelta(minutes=10)
"""Only then a cabin that shows comfort also has it: one that stood in the sun shows it at once, with everything in it
still to be warmed (engineering estimate)."""
LEAST: Final = 5
"""Readings of a day that say what it takes: of a settled compressor they are much alike (engineering estimate)."""
EVAPORATOR_C: Final = 2.0
"""Cooling, the evaporator is held just above freezing, so that it does not ice up."""
SETTLED_K: Final = 1.5
"""So close to comfort the cabin only has to be kept there."""
AIR_HELD: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(minutes=10)
"""Nobody knows what the compressor did in a longer silence."""


def observe(window: Window, _states: States) -> dict[str, Panel]:
    """Per day `evaporator_gap`, K above where the cold side should boil, and `compressor_effort`, W/K/K.

    Heating, the cold side boils some kelvin below the outside air. The effort is the compressor's power over the
    temperature to be held against the outside, beyond what needs no holding, and over the lift between its two sides:
    what a sound one needs once the cabin is comfortable is the same whatever the weather.
    """
    times = window.times
    inside = window.inside(times)
    air = held(window.signal("ambient_temp_c"), times, AIR_HELD)
    power = window.signal("ac_compressor_power_kw")
    weather = np.abs(air - COMFORT_C)
    working = inside & (power > RUNNING_KW) & (weather > MILD_K)
    cold, hot = boils_c(window.signal("refrigerant_low_kpa")), boils_c(window.signal("refrigerant_high_kpa"))
    gap = cold - np.where(air > COMFORT_C, EVAPORATOR_C, air)
    comfortable = np.abs(held(window.signal("cabin_temp_c"), times, AIR_HELD) - COMFORT_C) < SETTLED_K
    settled = working & comfortable & (_runs_h(power, times) >= RUN_IN / timedelta(hours=1))
    against = np.where(settled & (weather > WEATHER_K) & (hot > cold), (weather - FREE_K) * (hot - cold), np.nan)
    return known(
        {
            "evaporator_gap": daily(times, np.where(working, gap, np.nan)),
            "compressor_effort": daily(times, 1000.0 * power / against, least=LEAST),
        }
    )


def _runs_h(power: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """For how many hours the compressor has been seen to run without a pause; NaN where its power is not known."""
    told = np.isfinite(power)
    at, runs = times[told], power[told] > RUNNING_KW
    begins = np.ones(len(at), dtype=bool)
    begins[1:] = ~runs[:-1] | (np.diff(at) > np.timedelta64(PAUSE))
    hours = np.full(len(times), np.nan)
    hours[told] = hours_since(at, ~runs | begins)
    return hours


def boils_c(kpa: NDArray[np.float64]) -> NDArray[np.float64]:
    """The temperature at which the refrigerant boils under an absolute pressure; NaN where there is none."""
    share = np.where(kpa > 0.0, kpa, np.nan) / BOILS_KPA
    return np.asarray(1.0 / (1.0 / ZERO_C - np.log(share) / BOILS_K) - ZERO_C)
