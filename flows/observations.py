"""What can be told of one car's day: features, and the signals and trouble codes that rules look at themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd
import psycopg

from features.panel import Observations, Panel, known, panel
from features.stays import Stay, earliest_needed, events_outside, outside
from features.table import ARRAYS, SIGNALS, observe
from features.window import LOOKBACK, Array, Window, times_of
from rules.engine.needs import margin, needs, signals
from rules.rule import Rule
from rules.told import is_scalar, seen_to, told
from storage import events, gaps, telemetry
from vehicle.signals import CATALOGUE
from vehicle.vehicle import VehicleRecord

DAY: Final = timedelta(days=1)
LOST: Final = "lost_batches"
"""The one feature that no sample tells of: it is the batch ledger's."""
LEAST_BATCHES: Final = 10
"""A day with fewer says nothing, because one would be a tenth (engineering estimate)."""


def observations(
    connection: psycopg.Connection[Any],
    vehicle: VehicleRecord,
    day: datetime,
    rules: Sequence[Rule],
    stays: Sequence[Stay] = (),
    *,
    received_by: datetime | None = None,
) -> Observations:
    """The observations of one day, and the samples before it that the rules' windows reach back to.

    What the car told during its stays in workshops is left out; when it was given back is among them.

    Args:
        connection: of the database.
        vehicle: the car.
        day: its beginning, a midnight.
        rules: that will judge.
        stays: of the car in workshops.
        received_by: leave out what arrived later; None: nothing.
    """
    car, end = vehicle.vehicle_id, day + DAY
    start, needed = day - max(LOOKBACK, margin(rules)), signals(rules)
    scalars = [name for name in needed if is_scalar(name)]
    frame = telemetry.read_window(
        connection, car, start, end, tuple(dict.fromkeys((*SIGNALS, *scalars))), received_by=received_by
    )
    frame = _as_shown(_in_use(frame[~frame.index.duplicated()], stays))

    def arrays(names: Iterable[str], since: datetime) -> dict[str, Array]:
        return {
            name: _array(name, telemetry.read_arrays(connection, car, since, end, name, received_by=received_by), stays)
            for name in names
        }

    window = Window(vehicle, day, end, frame[list(SIGNALS)].loc[day - LOOKBACK :], arrays(ARRAYS, day))
    happened = events.read(connection, car, earliest_needed(stays, day, end), end, received_by=received_by)
    return {
        **told(
            frame[scalars],
            arrays((name for name in needed if not is_scalar(name)), start),
            events_outside(happened, stays, (day, end)),
        ),
        **seen_to(stays, end),
        **observe(window),
        **(_lost(connection, window) if any(LOST in needs(rule).features for rule in rules) else {}),
    }


def _as_shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Signals as the sensor shows them: what is stored in half of the bytes is a little beside it."""
    shown = {name: CATALOGUE[name].quantised(frame[name].to_numpy()) for name in frame.columns}
    return pd.DataFrame(shown, index=frame.index)


def _lost(connection: psycopg.Connection[Any], window: Window) -> dict[str, Panel]:
    """The share of the day's batches that never came, %, as of its last sample."""
    at = window.times[window.inside(window.times)][-1:]
    batches = gaps.lost_share(connection, window.vehicle.vehicle_id, window.start, window.end)
    expected = batches.lost + batches.stored
    if not len(at) or expected < LEAST_BATCHES:
        return {}
    return known({LOST: panel(at, [100.0 * batches.lost / expected])})


def _in_use(frame: pd.DataFrame, stays: Sequence[Stay]) -> pd.DataFrame:
    times = times_of(frame) if stays else None
    return frame if times is None else frame[outside(times, stays)]


def _array(name: str, told_at: Array, stays: Sequence[Stay]) -> Array:
    times, values = told_at[0], CATALOGUE[name].quantised(told_at[1])
    if not stays:
        return times, values
    kept = outside(times, stays)
    return times[kept], values[kept]
