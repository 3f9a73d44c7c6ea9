"""The charge inlet: how far its contacts warm above the air in each charge."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel, known, panel
from features.states import States
from features.window import Window, held

SIGNALS: Final = ("charge_inlet_temp_c", "ambient_temp_c", "charge_current_a")
AC_MOST_A: Final = 80.0
"""More than on-board chargers draw (IEC 62196-2: 80 A with type 1, 63 A with type 2): above it is direct current."""
SECOND: Final = 2
"""The second highest reading of a charge counts, so that one disturbed reading does not."""
AMBIENT_HELD: Final = timedelta(hours=1)


def observe(window: Window, states: States) -> dict[str, Panel]:
    """`inlet_rise`, K above the air, `inlet_rise_ac`, that at up to 80 A, `inlet_temp`, degC: by charge and day."""
    times = window.times
    inlet = window.signal("charge_inlet_temp_c")
    rise = inlet - held(window.signal("ambient_temp_c"), times, AMBIENT_HELD)
    current = held(window.signal("charge_current_a"), times, AMBIENT_HELD)
    usable = window.inside(times) & states.charging & np.isfinite(inlet)
    rows = []
    for spell in np.unique(states.spell[usable]):
        chosen = usable & (states.spell == spell)
        above = _second_highest(rise[chosen])
        alternating = np.nanmax(current[chosen], initial=0.0) <= AC_MOST_A
        rows.append((times[chosen][-1], above, above if alternating else np.nan, _second_highest(inlet[chosen])))
    if not rows:
        return {}
    at, every, ac, highest = (np.array(column) for column in zip(*rows, strict=True))
    return known({"inlet_rise": panel(at, every), "inlet_rise_ac": panel(at, ac), "inlet_temp": panel(at, highest)})


def _second_highest(values: NDArray[np.float64]) -> float:
    sampled = np.sort(values[np.isfinite(values)])
    return float(sampled[-SECOND]) if len(sampled) >= SECOND else np.nan
