"""Windows of samples that a test makes up, minute by minute."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from features.window import LOOKBACK, Window
from vehicle.moment import instant
from vehicle.vehicle import LowVoltageChemistry, Powertrain, VehicleRecord

DAY: Final = datetime(2026, 3, 2, tzinfo=UTC)


def a_vehicle(**changes: object) -> VehicleRecord:
    """A registered car of which everything is known."""
    facts: dict[str, object] = {
        "vehicle_id": "car-1",
        "registered_at": DAY,
        "chemistry": "NMC",
        "lv_chemistry": LowVoltageChemistry.LEAD_ACID,
        "powertrain": Powertrain.ELECTRIC,
        "tyre_reference_kpa": 290.0,
    }
    return VehicleRecord(**{**facts, **changes})  # type: ignore[arg-type]  # the tests name the fields


def minutes(period: int = 10, days: int = 2) -> NDArray[np.float64]:
    """Minutes since the start of the look-back, every `period` of them up to the end of the day."""
    return np.arange(0.0, days * 1440.0, period)


def a_window(
    at: NDArray[np.float64],
    signals: Mapping[str, ArrayLike],
    cells: NDArray[np.float64] | None = None,
    vehicle: VehicleRecord | None = None,
) -> Window:
    """The window of `DAY` and its look-back.

    Args:
        at: minutes since the start of the look-back, increasing.
        signals: at those times; a number stands for all of them.
        cells: voltages at those times, shape (n, k), of which those of the day are used.
        vehicle: whose samples they are.
    """
    times = instant(DAY - LOOKBACK) + (at * 60e6).astype("timedelta64[us]")
    columns = {name: np.broadcast_to(np.asarray(values, float), at.shape) for name, values in signals.items()}
    frame = pd.DataFrame(columns, index=pd.DatetimeIndex(times, tz="UTC"))
    today = times >= instant(DAY)
    arrays = {} if cells is None else {"cell_voltages_v": (times[today], cells[today])}
    return Window(vehicle or a_vehicle(), DAY, DAY + timedelta(days=1), frame, arrays)
