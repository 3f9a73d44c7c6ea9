from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from storage.health import daily_conditions
from storage.telemetry_copy import SampleTable, copy_table

pytestmark = pytest.mark.integration
START = datetime(2026, 9, 1, tzinfo=UTC)
END = START + timedelta(days=10)


def store(connection: psycopg.Connection[Any], **columns: object) -> None:
    """Three samples in the evening of the first day and three after midnight."""
    times = np.datetime64("2026-09-01T23:57", "us") + np.arange(6) * np.timedelta64(1, "m")
    values = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    copy_table(connection, SampleTable(["a"], np.zeros(6, np.intp), times, values), END)


def test_rest_voltage_is_that_of_a_car_that_stands_with_its_converter_off(connection: psycopg.Connection[Any]) -> None:
    store(
        connection,
        lv_voltage_v=[12.5, 12.7, 14.2, 14.3, 12.4, 12.4],
        speed_kmh=[0, 0, 50, 0, 0, np.nan],
        dcdc_enabled=[0, 0, 1, 1, 0, np.nan],
    )
    first, second = daily_conditions(connection, START, END)
    assert (first.day, second.day) == (START, START + timedelta(days=1))
    assert first.lv_rest_v == pytest.approx(12.6)
    assert second.lv_rest_v == pytest.approx(12.4)
    assert (first.tyre_spread_kpa, first.cell_spread_mv, first.isolation_kohm) == (None, None, None)


def test_spreads_and_isolation_are_medians_of_the_day(connection: psycopg.Connection[Any]) -> None:
    store(
        connection,
        tyre_pressure_fl_kpa=[290.0] * 6,
        tyre_pressure_rr_kpa=[280, 270, 100, 290, 290, 290],
        isolation_kohm=[4000, 4100, 5, 900, 800, 700],
        isolation_valid=[1, 1, 0, 1, 1, 1],
        cell_v_max_v=[3.9] * 6,
        cell_v_min_v=[3.85, 3.85, 1.0, 3.89, 3.89, 3.89],
    )
    first, second = daily_conditions(connection, START, END)
    assert (first.tyre_spread_kpa, second.tyre_spread_kpa) == (20.0, 0.0)
    assert (first.isolation_kohm, second.isolation_kohm) == (4050.0, 800.0)
    assert first.cell_spread_mv == pytest.approx(50, abs=0.01)


def test_cells_sampled_one_by_one_give_the_spread_too(connection: psycopg.Connection[Any]) -> None:
    store(connection, cell_voltages_v=[[3.90, 3.88, 3.89]] * 6)
    assert daily_conditions(connection, START, END)[0].cell_spread_mv == pytest.approx(20, abs=0.01)


def test_only_the_time_that_is_asked_for_is_told(connection: psycopg.Connection[Any]) -> None:
    store(connection, lv_voltage_v=[12.5] * 6)
    assert len(daily_conditions(connection, START, START + timedelta(days=1))) == 1
    assert daily_conditions(connection, END, END + timedelta(days=1)) == []
