"""Many cars' samples as columns hold what is read of each car by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from features.window import times_of
from storage.telemetry import read_arrays, read_window
from storage.telemetry_columns import read_columns
from storage.telemetry_copy import SampleTable, copy_table
from vehicle.moment import instant

pytestmark = pytest.mark.integration
START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(hours=1)
SCALARS = ["hv_voltage_v", "odometer_km", "bms_state", "hvil_ok", "service_due_s", "speed_kmh"]
CARS = ["car-3", "car-1", "nobody"]


def store(connection: psycopg.Connection[Any], car: str, times: Any, columns: dict[str, Any], at: datetime) -> None:
    copy_table(connection, SampleTable([car], np.zeros(len(times), np.intp), times, columns), at)


@pytest.fixture
def cars(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Two of the cars with samples, some of which came twice, some late; and one that nobody asks for."""
    for number, (car, width) in enumerate([("car-1", 3), ("car-2", 4), ("car-3", 5)], start=1):
        times = instant(START) + np.arange(6) * np.timedelta64(5, "m")
        cells = np.round(np.linspace(3.5, 3.6, 6 * width).reshape(6, width), 3)
        cells[[1, 4]] = np.nan
        cells[2, 0] = np.nan
        columns = {
            "hv_voltage_v": np.array([350.1, np.nan, 349.9, 0, 351, np.nan]) + number,
            "odometer_km": np.array([123456.789, np.nan, 123456.79, 1, 2, 3]) + number,
            "bms_state": np.array([1, 7, np.nan, 0, 1, 1.0]),
            "hvil_ok": np.array([1, 0, np.nan, 1, 1, 0.0]),
            "service_due_s": np.array([-2_000_000, np.nan, 0, 1, 2, 3.0]),
            "cell_voltages_v": cells,
        }
        store(connection, car, times[3:], _rows(columns, slice(3, 6)), END)
        store(connection, car, times[:3], _rows(columns, slice(3)), END - timedelta(days=1))
    twice = {"hv_voltage_v": np.array([1.0, 2.0]), "cell_voltages_v": np.full((2, 6), 3.0)}
    again = instant(START) + np.array([0, 5], "timedelta64[m]")
    store(connection, "car-3", again, twice, END + timedelta(days=1))
    return connection


def _rows(columns: dict[str, Any], chosen: slice) -> dict[str, Any]:
    return {name: values[chosen] for name, values in columns.items()}


def test_columns_hold_what_is_read_of_each_car(cars: psycopg.Connection[Any]) -> None:
    read = read_columns(cars, CARS, START, END, [*SCALARS, "cell_voltages_v"])
    assert sorted(set(read.car.tolist())) == [0, 1]
    for place, car in enumerate(CARS):
        own = read.car == place
        frame = read_window(cars, car, START, END, SCALARS)
        frame = frame[~frame.index.duplicated()]
        times = times_of(frame)
        assert times is not None
        np.testing.assert_array_equal(read.times[own].view("datetime64[us]"), times)
        for name in SCALARS:
            np.testing.assert_array_equal(read.values[name][own], frame[name].to_numpy(), name)


def test_arrays_lie_beside_the_other_signals_of_their_time(cars: psycopg.Connection[Any]) -> None:
    read = read_columns(cars, CARS, START, END, ["cell_voltages_v", "speed_kmh"])
    own = read.car == 1
    times, cells = read_arrays(cars, "car-1", START, END, "cell_voltages_v")
    values = read.values["cell_voltages_v"][own]
    sampled = np.isfinite(values).any(axis=1)
    np.testing.assert_array_equal(read.times[own][sampled].view("datetime64[us]"), times)
    np.testing.assert_array_equal(values[sampled][:, : cells.shape[1]], cells)
    assert np.isnan(values[:, cells.shape[1] :]).all()
    first_of_two, only_later = read.values["cell_voltages_v"][read.car == 0][:2]
    assert first_of_two[0] == pytest.approx(3.5)
    assert (only_later == 3).all()


def test_nothing_is_no_rows(cars: psycopg.Connection[Any]) -> None:
    read = read_columns(cars, ["nobody"], START, END, ["speed_kmh", "cell_voltages_v"])
    assert (read.car.shape, read.times.shape, read.values["speed_kmh"].shape) == ((0,), (0,), (0,))
    assert read.values["cell_voltages_v"].shape == (0, 0)
    assert read_columns(cars, [], START, END, []).car.shape == (0,)


def test_only_what_had_arrived_is_read_if_that_is_asked(cars: psycopg.Connection[Any]) -> None:
    by = END - timedelta(hours=1)
    assert len(read_window(cars, "car-1", START, END, ["speed_kmh"], received_by=by)) == 3
    times, _ = read_arrays(cars, "car-1", START, END, "cell_voltages_v", received_by=by)
    assert len(times) == 2
