from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from storage.envelope import STRETCHES, latest_values, read_envelope
from storage.telemetry_copy import SampleTable, copy_table

pytestmark = pytest.mark.integration
START = datetime(2026, 9, 1, tzinfo=UTC)
END = START + timedelta(hours=10)


def store(connection: psycopg.Connection[Any], vehicle: str, **columns: list[float]) -> NDArray[np.datetime64]:
    """One sample a second from START."""
    count = len(next(iter(columns.values())))
    times = np.datetime64("2026-09-01", "us") + np.arange(count) * np.timedelta64(1, "s")
    values = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    copy_table(connection, SampleTable([vehicle], np.zeros(count, np.intp), times, values), END)
    return times


def test_every_peak_survives_and_holes_stay_holes(connection: psycopg.Connection[Any]) -> None:
    voltages = [12.5] * 3600
    voltages[1234], voltages[2345] = 9.0, 15.0
    store(connection, "a", lv_voltage_v=voltages)
    store(connection, "b", lv_voltage_v=[1.0])
    times, values = read_envelope(connection, "a", START, END, ["lv_voltage_v"])["lv_voltage_v"]
    assert len(values) <= 2 * STRETCHES
    assert (values.min(), values.max()) == (9.0, 15.0)
    assert (np.diff(times.astype(np.int64)) > 0).all()
    assert times[0] >= np.datetime64("2026-09-01T00:00", "us")
    assert times[-1] <= np.datetime64("2026-09-01T01:03", "us")


def test_a_signal_that_was_never_sampled_is_no_number(connection: psycopg.Connection[Any]) -> None:
    store(connection, "a", lv_voltage_v=[12.5, 12.6])
    read = read_envelope(connection, "a", START, END, ["hv_soc_pct", "lv_voltage_v"])
    assert np.isnan(read["hv_soc_pct"][1]).all()
    assert read["lv_voltage_v"][1].tolist() == pytest.approx([12.5, 12.6])
    times, values = read_envelope(connection, "nobody", START, END, ["lv_voltage_v"])["lv_voltage_v"]
    assert (times.shape, values.shape) == ((0,), (0,))


def test_the_latest_value_is_the_last_that_was_sampled(connection: psycopg.Connection[Any]) -> None:
    store(connection, "a", lv_voltage_v=[12.5, 12.6, np.nan], speed_kmh=[0.0, 1.0, 2.0])
    assert latest_values(connection, "a", ["lv_voltage_v", "speed_kmh", "hv_soc_pct"]) == {
        "speed_kmh": (START + timedelta(seconds=2), 2.0),
        "lv_voltage_v": (START + timedelta(seconds=1), pytest.approx(12.6)),
    }
