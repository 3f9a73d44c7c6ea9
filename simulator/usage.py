"""What the day's plan makes of the rows: speed, distance, the battery's current; and of the day: events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from simulator.charging import ChargeRun, Ending
from simulator.consumption import AWAKE_W
from simulator.day import Cars, Day, FloatArray, Phase
from simulator.driving import Drives
from simulator.instruments import UP, Sensor
from simulator.itinerary import Trip
from vehicle.batch import Event, EventKind

DCDC_EFFICIENCY: Final = 0.9
LV_SYSTEM_V: Final = 14.0
SENSORS: Final = {"speed_kmh": Sensor(UP), "odometer_km": Sensor(UP)}
TESTS: Final = ()
DRIVEN: Final = ("speed_kmh", "distance_m", "torque_nm", "bearing_nm", "brake_n", "wheel_w", "demand_w")


@dataclass(slots=True, eq=False)
class Usage:
    """State per car, shape (cars,)."""

    odometer_km: FloatArray


def start(cars: Cars) -> Usage:
    """Odometers as the cars' age and habit have it."""
    return Usage(cars.each(lambda one: one.odometer_km))


def advance(state: Usage, day: Day, drives: Drives, runs: Sequence[ChargeRun], rest_v: FloatArray) -> None:
    """Driving rows from the trips, charging rows from the sessions; `rest_v` per car turns power into current."""
    driving = day.during(Phase.DRIVING)
    for name in DRIVEN:
        day.columns[name] = np.zeros(len(day))
        day.columns[name][driving] = getattr(drives, name)
    # The battery pays for the compressor, so it is what the plan made of it, row by row.
    day.columns["ac_compressor_power_kw"][driving] = drives.heating_w / 1000.0
    odometer = day.total(day.columns["distance_m"] / 1000.0, state.odometer_km)
    day.columns["odometer_km"] = odometer
    state.odometer_km = odometer[day.last]
    topping_up = np.maximum(day.columns["lv_current_a"], 0.0) * LV_SYSTEM_V / DCDC_EFFICIENCY
    parked = np.where(day.during(Phase.AWAKE), AWAKE_W + topping_up, 0.0)
    current = -np.where(driving, day.columns["demand_w"], parked) / day.of(rest_v)
    for run in runs:
        rows = charging_rows(day, run)
        added = np.interp(day.at_s[rows] - day.index * 86400.0, run.at_s, run.battery_ah)
        current[rows] = np.diff(added, prepend=0.0) * 3600.0 / day.dt_s[rows]
    day.columns["hv_current_a"] = current


def charging_rows(day: Day, run: ChargeRun) -> slice:
    """The rows that a session's current fills: its own, without the one at its start."""
    rows = day.rows(run.session.number)
    at = day.at_s[rows] - day.index * 86400.0
    first, last = np.searchsorted(at, [run.session.plug.start_s, run.end_s], side="right")
    return slice(rows.start + int(first), rows.start + int(last))


def events(
    trips: Sequence[Trip], km: Sequence[float], runs: Sequence[ChargeRun], midnight: datetime
) -> Iterator[Event]:
    """Starts and stops of one car's drives and charges."""
    for trip, distance in zip(trips, km, strict=True):
        yield Event(midnight + timedelta(seconds=trip.start_s), EventKind.DRIVE_START)
        details = {"distance_km": round(distance, 3), "duration_s": trip.duration_s}
        yield Event(midnight + timedelta(seconds=trip.end_s), EventKind.DRIVE_STOP, details=details)
    for run in runs:
        kind = {"charger": "dc" if run.session.plug.public else "ac"}
        if run.session.plug.start_s > 0.0:
            yield Event(midnight + timedelta(seconds=run.session.plug.start_s), EventKind.CHARGE_START, details=kind)
        if run.ending is not Ending.MIDNIGHT:
            reason = {**kind, "reason": run.ending.value, "charge_ah": round(float(run.battery_ah[-1]), 2)}
            yield Event(midnight + timedelta(seconds=run.end_s), EventKind.CHARGE_STOP, details=reason)
