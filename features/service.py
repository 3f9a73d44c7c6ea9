"""What has passed since the last service: time, and distance."""

from typing import Final

import numpy as np

from features.panel import Panel, known, panel
from features.states import States
from features.window import Window
from vehicle.moment import instant

SIGNALS: Final = ("odometer_km",)
DAY: Final = np.timedelta64(1, "D")


def observe(window: Window, _states: States) -> dict[str, Panel]:
    """At the day's end `service_age`, d, and `service_distance`, km; nothing of a day before the service.

    A service that is known is known for every day, whenever it was told of: days before it say nothing.
    """
    vehicle = window.vehicle
    rows = np.flatnonzero(window.inside(window.times))
    if vehicle.serviced_at is None or not len(rows):
        return {}
    at = window.times[rows[-1:]]
    age = float((at[0] - instant(vehicle.serviced_at)) / DAY)
    if age < 0.0:
        return {}
    odometer = window.signal("odometer_km")[rows]
    odometer = odometer[np.isfinite(odometer)]
    base = np.nan if vehicle.serviced_km is None else vehicle.serviced_km
    distance = [odometer[-1] - base] if len(odometer) and odometer[-1] >= base else [np.nan]
    return known({"service_age": panel(at, [age]), "service_distance": panel(at, distance)})
