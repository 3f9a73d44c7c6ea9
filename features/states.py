"""What the car was doing at each sample: driving, charging, or at rest, and for how long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.window import Window, held
from vehicle.signals import CATALOGUE

MOVING_KMH: Final = 0.5
CHARGING_A: Final = 1.0
"""Into the battery of a standing car: more than the noise of a current sensor (engineering estimate)."""
SIGNALS: Final = ("speed_kmh", "charge_state", "hv_current_a", "hv_soc_pct", "odometer_km")
STATE_HELD: Final = timedelta(minutes=30)
"""Speed and charging state stand so long after their sample at most."""
UNSEEN_KM: Final = 0.3
UNSEEN_PCT: Final = 1.5
"""A gap across which the car has gone further, or its battery has filled more, hides a drive or a charge."""
Values = NDArray[np.float64]

_CHARGING_STATES: Final = tuple(
    float(CATALOGUE["charge_state"].values.index(name)) for name in ("Starting", "Charging")
)


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """Per time of a window's frame."""

    driving: NDArray[np.bool_]
    charging: NDArray[np.bool_]
    rest_h: NDArray[np.float64]
    """Hours since the car was last seen active, or since the first sample; 0 while it is active."""
    seen: NDArray[np.bool_]
    """Whether the beginning of that rest was seen, so that `rest_h` is not only the least it can be."""
    spell: NDArray[np.int64]
    """A number that changes whenever the car begins to drive, to charge or to rest."""


def states(window: Window) -> States:
    """The states of one car."""
    times = window.times
    driving = is_driving(window.signal("speed_kmh"), times) == 1.0
    current = window.signal("hv_current_a")
    charging = is_charging(window.signal("charge_state"), current, driving.astype(float), times) == 1.0
    rest = ~driving & ~charging
    hidden = np.ones(len(times), dtype=bool)
    hidden[1:] = rest[1:] & unseen_activity(window.signal("odometer_km"), window.signal("hv_soc_pct"), times)
    changed = np.diff(driving, prepend=False) | np.diff(charging, prepend=False)
    return States(
        driving=driving,
        charging=charging,
        rest_h=hours_since(times, ~rest | hidden),
        seen=np.logical_or.accumulate(~rest | (hidden & (np.arange(len(times)) > 0))),
        spell=np.cumsum(changed | hidden),
    )


def is_driving(speed: Values, times: NDArray[np.datetime64]) -> Values:
    """1 where the car drives, 0 where it does not, NaN where its speed is not known."""
    speed = np.abs(held(speed, times, STATE_HELD))
    return np.where(np.isfinite(speed), (speed > MOVING_KMH).astype(float), np.nan)


def is_charging(charge_state: Values, current: Values, driving: Values, times: NDArray[np.datetime64]) -> Values:
    """1 where the car charges, 0 where it does not, NaN where neither state, nor current at rest, is known."""
    told = held(charge_state, times, STATE_HELD)
    into = held(current, times, STATE_HELD)
    inferred = np.where(np.isfinite(into) & np.isfinite(driving), (into > CHARGING_A).astype(float), np.nan)
    charging = np.where(np.isfinite(told), np.isin(told, _CHARGING_STATES).astype(float), inferred)
    return np.where(driving == 1.0, 0.0, charging)


def unseen_activity(odometer: Values, charge: Values, times: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Whether something happened between each sample and the next that no sample shows, shape (n - 1,)."""
    forever = timedelta(days=365)
    further, fuller = np.diff(held(odometer, times, forever)), np.diff(held(charge, times, forever))
    return (further > UNSEEN_KM) | (fuller > UNSEEN_PCT)


def hours_since(times: NDArray[np.datetime64], active: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Hours since the latest active sample, or since the first one where none was active before."""
    latest = np.maximum.accumulate(np.where(active, np.arange(len(times)), 0))
    return (times - times[latest]) / np.timedelta64(1, "h")
