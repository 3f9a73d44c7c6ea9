"""Brakes: each disc and pad beside the other one of its axle, and how often the parking brake has tried again.

Both wheels of an axle brake alike, so that what one disc has on top, it has from a brake that does not let go.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.daily import MIN_SAMPLES, daily
from features.panel import Panel, known, panel
from features.states import States
from features.tyres import WHEELS
from features.window import Window

SIGNALS: Final = (
    *(f"brake_disc_temp_{wheel}_c" for wheel in WHEELS),
    *(f"brake_pad_wear_{wheel}_pct" for wheel in WHEELS),
    "parking_brake_retries",
)
_BESIDE: Final = (1, 0, 3, 2)
"""The other wheel of the axle, as position in `WHEELS`."""


def observe(window: Window, states: States) -> dict[str, Panel]:
    """Per day `disc_gap`, K (mean while driving), `pad_wear` and `pad_gap`, %, of wheels; `brake_retries`, a count."""
    inside = window.inside(window.times)
    driven = inside & states.driving
    # Wear hardly moves in a day: what the last samples of a drive say will do.
    wear = _of_wheels(window, "brake_pad_wear_{}_pct", np.flatnonzero(driven)[-MIN_SAMPLES:])
    last_wear = np.median(wear, axis=0) if len(wear) == MIN_SAMPLES else np.full(len(WHEELS), np.nan)
    retries = np.where(inside, window.signal("parking_brake_retries"), np.nan)
    return known(
        {
            "disc_gap": _at_end(window, driven, _disc_gaps(_of_wheels(window, "brake_disc_temp_{}_c", driven))),
            "pad_wear": _at_end(window, driven, last_wear),
            "pad_gap": _at_end(window, driven, last_wear - last_wear[list(_BESIDE)]),
            "brake_retries": daily(window.times, retries, np.max, 1),
        }
    )


def _of_wheels(window: Window, name: str, chosen: NDArray[np.bool_ | np.intp]) -> NDArray[np.float64]:
    return np.column_stack([window.signal(name.format(wheel))[chosen] for wheel in WHEELS])


def _disc_gaps(discs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each wheel the mean over the samples that have both discs of its axle, shape (4,)."""
    gaps = np.full(len(WHEELS), np.nan)
    for left, right in ((0, 1), (2, 3)):
        apart = discs[:, left] - discs[:, right]
        apart = apart[np.isfinite(apart)]
        if len(apart) >= MIN_SAMPLES:
            gaps[left], gaps[right] = apart.mean(), -apart.mean()
    return gaps


def _at_end(window: Window, chosen: NDArray[np.bool_], values: NDArray[np.float64]) -> Panel:
    """One row of values at the last of the chosen samples."""
    return panel(window.times[chosen][-1:], values[None, :] if chosen.any() else np.empty((0, len(values))), WHEELS)
