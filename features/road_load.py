"""What the road asks of the motors: the car's resistance to rolling as a share of its weight, and its inertia.

Torque goes into speeding up, into the air and into rolling; the first tells the mass, in torque for each m/s2, and with
it the rest becomes a share of the weight that depends on no gear ratio. Hills cancel over a day that ends where it
began, because samples are weighted with the distance. Worn bearings, brakes that drag and soft tyres take more.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel, panel
from features.states import States
from features.window import Window

SIGNALS: Final = ("motor_torque_f_nm", "motor_torque_r_nm", "speed_kmh")
MIN_SAMPLES: Final = 60
"""Of a day's driving (engineering estimate: 20 minutes at a sample in 20 s)."""
APART_S: Final = 60.0
"""Two samples further apart tell nothing of how the car sped up in between."""
LEAST_MS: Final = 2.0
"""Slower is manoeuvring."""
AIR: Final = 1.95e-4
"""m/s2 that the air takes for each (m/s)2: a drag area of 0.65 m2 at 2 t (engineering estimate for passenger cars)."""
ROTATING: Final = 1.05
"""Share of wheels, gears and rotors in the mass that is sped up (engineering estimate)."""
GRAVITY: Final = 9.81
Values = NDArray[np.float64]


def observe(window: Window, states: States) -> dict[str, Panel]:
    """Per day `rolling_resistance`, % of the weight, and `inertia`, Nm of all motors for 1 m/s2."""
    times = window.times
    speed = window.signal("speed_kmh") / 3.6
    both = states.driving & window.inside(times)
    torque = _torque(window, both)
    rows = np.flatnonzero(both & np.isfinite(torque) & np.isfinite(speed))
    before = rows - 1
    rows, before = rows[before >= 0], before[before >= 0]
    elapsed = (times[rows] - times[before]) / np.timedelta64(1, "s")
    mean = (speed[rows] + speed[before]) / 2.0
    used = (elapsed <= APART_S) & (mean > LEAST_MS)
    if used.sum() < MIN_SAMPLES:
        return {}
    rows, before, elapsed, mean = rows[used], before[used], elapsed[used], mean[used]
    effort = (speed[rows] - speed[before]) / elapsed + AIR * np.square(mean)
    inertia, offset = _line(effort, torque[rows], weights=mean * elapsed)
    if not inertia > 0.0:
        return {}
    at = times[rows][-1:]
    share = 100.0 * ROTATING * offset / inertia / GRAVITY
    return {"rolling_resistance": panel(at, [share]), "inertia": panel(at, [inertia])}


def _torque(window: Window, chosen: NDArray[np.bool_]) -> Values:
    """Of all motors that the car has, NaN where one of them is not known."""
    axles = [window.signal(name) for name in SIGNALS[:2]]
    fitted = [torque for torque in axles if np.isfinite(torque[chosen]).any()]
    return np.sum(fitted, axis=0) if fitted else np.full(len(window.times), np.nan)


def _line(x: Values, y: Values, weights: Values) -> tuple[float, float]:
    """Slope and intercept of weighted least squares; NaN where x does not vary."""
    weights = weights / weights.sum()
    x_mean, y_mean = weights @ x, weights @ y
    spread = weights @ np.square(x - x_mean)
    if not spread > 0.0:
        return np.nan, np.nan
    slope = float(weights @ ((x - x_mean) * (y - y_mean)) / spread)
    return slope, float(y_mean - slope * x_mean)
