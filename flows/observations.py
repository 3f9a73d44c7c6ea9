"""What can be told of one car's day: features, and the signals and trouble codes that rules look at themselves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from features.panel import Observations
from features.table import ARRAYS, SIGNALS, observe
from features.window import LOOKBACK, Window
from rules.engine.needs import margin, signals
from rules.rule import Rule
from rules.told import is_scalar, told
from storage import events, telemetry
from vehicle.vehicle import VehicleRecord

DAY: Final = timedelta(days=1)


def observations(
    connection: psycopg.Connection[Any], vehicle: VehicleRecord, day: datetime, rules: Sequence[Rule]
) -> Observations:
    """The observations of one day, and the samples before it that the rules' windows reach back to."""
    car, end = vehicle.vehicle_id, day + DAY
    start, needed = day - max(LOOKBACK, margin(rules)), signals(rules)
    scalars = [name for name in needed if is_scalar(name)]
    frame = telemetry.read_window(connection, car, start, end, tuple(dict.fromkeys((*SIGNALS, *scalars))))
    frame = frame[~frame.index.duplicated()]
    day_arrays = {name: telemetry.read_arrays(connection, car, day, end, name) for name in ARRAYS}
    window = Window(vehicle, day, end, frame[list(SIGNALS)].loc[day - LOOKBACK :], day_arrays)
    arrays = {name: telemetry.read_arrays(connection, car, start, end, name) for name in needed if not is_scalar(name)}
    return {**told(frame[scalars], arrays, events.read(connection, car, day, end)), **observe(window)}
