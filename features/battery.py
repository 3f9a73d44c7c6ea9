"""The traction battery as a whole: health, charge that changes in the sleep, and how unevenly it warms up."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.daily import daily
from features.panel import Panel, known, panel
from features.states import States
from features.window import Window, held

SIGNALS: Final = ("hv_soh_pct", "hv_soc_pct", "hv_current_a", "module_temp_delta_c")
SLEEP: Final = timedelta(hours=3)
"""After so long a cell's voltage has settled, and the management looks at it as it wakes (engineering estimate)."""
EVEN_K: Final = 1.5
"""Between the coolest and the warmest module of a battery that does nothing (engineering estimate)."""
LEAST_LOAD_A2: Final = 400.0
"""A day with a lower mean square of the current, 20 A, does not warm the battery enough to tell."""
CURRENT_HELD: Final = timedelta(minutes=2)


def observe(window: Window, states: States) -> dict[str, Panel]:
    """`state_of_health`, %, `module_spread`, K/A/A, `modules_apart`, K, of the day; `charge_step`, %, of its sleeps."""
    times = window.times
    inside = window.inside(times)
    health = np.where(inside, window.signal("hv_soh_pct"), np.nan)
    resting = inside & ~states.driving & ~states.charging
    apart = np.where(resting, window.signal("module_temp_delta_c"), np.nan)
    return known(
        {
            "state_of_health": daily(times, health, least=1),
            "charge_step": _charge_steps(window, states),
            "module_spread": _module_spread(window, states),
            "modules_apart": daily(times, apart, np.mean),
        }
    )


def _charge_steps(window: Window, states: States) -> Panel:
    """How much more charge is shown at the first reading after each sleep of a resting car than at the last before.

    A sleep takes charge, a percent and more in a night by what hangs on the battery, and gives none: only a rise is the
    management's own doing.
    """
    charge = window.signal("hv_soc_pct")
    sampled = ~states.driving & ~states.charging & np.isfinite(charge)
    times, charge, spell = window.times[sampled], charge[sampled], states.spell[sampled]
    slept = (np.diff(times) >= np.timedelta64(SLEEP)) & (np.diff(spell) == 0)
    steps = np.maximum(np.diff(charge), 0.0)
    woken = slept & window.inside(times[1:])
    return panel(times[1:][woken], steps[woken]) if woken.any() else panel([], [])


def _module_spread(window: Window, states: States) -> Panel:
    """The mean spread between modules while driving, beyond that at rest, over the mean square of the current."""
    chosen = window.inside(window.times) & states.driving
    current = held(window.signal("hv_current_a"), window.times, CURRENT_HELD)[chosen]
    spread = window.signal("module_temp_delta_c")[chosen]
    both = np.isfinite(current) & np.isfinite(spread)
    load = _mean(np.square(current[both]))
    if not load >= LEAST_LOAD_A2:
        return panel([], [])
    return daily(window.times[chosen][both], (spread[both] - EVEN_K) / load, np.mean)


def _mean(values: NDArray[np.float64]) -> float:
    return float(np.mean(values)) if len(values) else np.nan
