"""The table has the catalogue's columns, and what was written comes back in order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from storage.telemetry import read_arrays, read_window
from storage.telemetry_copy import SampleTable, copy_table
from vehicle.moment import instant
from vehicle.signals import CATALOGUE

pytestmark = pytest.mark.integration
START = datetime(2026, 9, 1, tzinfo=UTC)
END = START + timedelta(hours=1)
TIMES = np.datetime64("2026-09-01T00:00:00.5", "us") + np.arange(4) * np.timedelta64(10, "s")


def store(connection: psycopg.Connection[Any], columns: dict[str, Any], times: Any = TIMES, car: str = "car") -> None:
    values = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    copy_table(connection, SampleTable([car], np.zeros(len(times), dtype=np.intp), times, values), END)


def test_the_table_is_the_catalogue(connection: psycopg.Connection[Any]) -> None:
    columns = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = 'telemetry'::regclass AND attnum > 0 AND NOT attisdropped"
    ).fetchall()
    # A migration adds its column at the end; every reader and writer names the columns that it means.
    expected = [
        ("vehicle_id", "text"),
        ("time", "timestamp with time zone"),
        ("received_at", "timestamp with time zone"),
        *((name, signal.column_type) for name, signal in CATALOGUE.items()),
        ("extra", "jsonb"),
        ("time_received", "boolean"),
    ]
    assert sorted(columns) == sorted(expected)


def test_every_kind_of_signal_comes_back(connection: psycopg.Connection[Any]) -> None:
    columns = {
        "hv_voltage_v": [350.1, np.nan, 349.9, 0],
        "odometer_km": [123456.789, 123456.790, np.nan, 0],
        "bms_state": [1, 7, np.nan, 0],
        "hvil_ok": [1, 0, np.nan, 1],
        "service_due_s": [-2_000_000, np.nan, 0, 1],
    }
    store(connection, columns)
    frame = read_window(connection, "car", START, END, list(columns))
    assert list(frame.columns) == list(columns)
    index = pd.DatetimeIndex(frame.index)
    assert str(index.tz) == "UTC"
    np.testing.assert_array_equal(index.tz_localize(None).to_numpy(), TIMES)
    for name, values in columns.items():
        np.testing.assert_array_equal(CATALOGUE[name].quantised(frame[name]), values)


def test_a_window_is_half_open_and_one_cars(connection: psycopg.Connection[Any]) -> None:
    times = np.array([instant(END), instant(START), instant(START + timedelta(seconds=1))])
    store(connection, {"speed_kmh": [3, 1, 2]}, times)
    store(connection, {"speed_kmh": [9]}, times[:1], car="other")
    assert read_window(connection, "car", START, END, ["speed_kmh"])["speed_kmh"].tolist() == [1, 2]
    assert read_window(connection, "nobody", START, END, ["speed_kmh"]).shape == (0, 1)
    assert read_window(connection, "car", START, END, []).shape == (2, 0)


def test_arrays_come_back_with_their_gaps(connection: psycopg.Connection[Any]) -> None:
    cells = np.array([[3.7, np.nan, 3.6], [np.nan, np.nan, np.nan], [np.nan, 3.5, np.nan], [1, 2, 3]])
    store(connection, {"cell_voltages_v": cells})
    times, values = read_arrays(connection, "car", START, END, "cell_voltages_v")
    np.testing.assert_array_equal(times, TIMES[[0, 2, 3]])
    np.testing.assert_array_equal(values, cells[[0, 2, 3]].astype(np.float32))


def test_rows_of_different_length_are_filled(connection: psycopg.Connection[Any]) -> None:
    store(connection, {"cell_voltages_v": [[3.5, 3.25]]}, TIMES[:1])
    store(connection, {"cell_voltages_v": [[3.5, 3.25, 3]]}, TIMES[1:2])
    store(connection, {"speed_kmh": [3]}, TIMES[2:3])
    _times, values = read_arrays(connection, "car", START, END, "cell_voltages_v")
    np.testing.assert_array_equal(values, [[3.5, 3.25, np.nan], [3.5, 3.25, 3]])
    times, values = read_arrays(connection, "nobody", START, END, "cell_voltages_v")
    assert (times.shape, values.shape) == ((0,), (0, 0))


def test_each_reader_refuses_what_the_other_reads(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(ValueError, match="read_arrays"):
        read_window(connection, "car", START, END, ["cell_voltages_v"])
    with pytest.raises(ValueError, match="read_window"):
        read_arrays(connection, "car", START, END, "speed_kmh")
    with pytest.raises(KeyError):
        read_window(connection, "car", START, END, ["time; DROP TABLE telemetry"])
