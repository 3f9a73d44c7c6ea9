"""Recorded cars through the whole pipeline, from a published sample to an appointment."""

import random
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from simulator.recording import Recording
from simulator.replay import read_battery_log
from storage.connection import connect
from storage.telemetry import read_arrays, read_window
from tests.e2e.conftest import RunningStack
from vehicle.moment import moment
from vehicle.signals import CATALOGUE

pytestmark = [pytest.mark.e2e, pytest.mark.recordings, pytest.mark.timeout(600)]

MOST_KILLS = 4
WEAK = ["V_2", "V_81"]
"""The cell groups that the recording's publishers name as faulty (Nie et al., Energy 323, 2025)."""


@pytest.fixture(scope="session")
def car1(recordings: Path) -> Path:
    return recordings / "ev_battery_fault" / "car1_processed.zip"


@pytest.fixture(scope="session")
def car3(recordings: Path) -> Path:
    return recordings / "ev_battery_fault" / "car3_processed.zip"


@pytest.fixture(scope="session")
def weak_table(car3: Path) -> pd.DataFrame:
    """The first five days of the car with two weak cell groups."""
    table = pd.read_csv(car3, low_memory=False)
    return table[pd.to_datetime(table["tboxTime"]) < pd.Timestamp("2019-04-21")]


def replay(stack: RunningStack, file: Path, vehicle: str) -> None:
    result = stack.vsc("replay", str(file), "--format", "battery-log", "--vehicle", vehicle, "--speed", "max")
    assert result["samples_acked"] == result["samples"]


def judge(stack: RunningStack) -> None:
    stack.vsc("diagnose")
    stack.vsc("tickets", "push")


def of_cells(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what is true of the recording whatever its cells are: it has holes with driving in them."""
    return [row for row in rows if row["failure_mode"] != "connectivity_loss"]


def assert_all_is_stored(stack: RunningStack, vehicle: str, recording: Recording) -> None:
    """Every value of the recording is in the table, once, to the resolution of its column."""
    start, end = moment(recording.times[0]), moment(recording.times[-1] + np.timedelta64(1, "s"))
    scalars = [name for name, values in recording.columns.items() if values.ndim == 1]
    with connect(stack.addresses.database_url) as connection:
        stored = read_window(connection, vehicle, start, end, scalars)
        times, cells = read_arrays(connection, vehicle, start, end, "cell_voltages_v")
        row = connection.execute("SELECT count(*) FROM telemetry WHERE vehicle_id = %s", [vehicle]).fetchone()
    assert row == (len(recording.times),)
    assert len(stored) == len(recording.times)
    for name in scalars:
        sent = recording.columns[name]
        kind = np.float64 if CATALOGUE[name].column_type == "double precision" else np.float32
        np.testing.assert_array_equal(stored[name].to_numpy(np.float64), sent.astype(kind).astype(np.float64), name)
    sampled = ~np.isnan(recording.columns["cell_voltages_v"]).all(axis=1)
    np.testing.assert_array_equal(times, recording.times[sampled])
    np.testing.assert_array_equal(cells, recording.columns["cell_voltages_v"][sampled].astype(np.float32))


def test_two_weak_cell_groups_become_one_appointment_and_a_healthy_car_none(
    stack: RunningStack, car1: Path, car3: Path
) -> None:
    replay(stack, car3, "weak")
    judge(stack)
    (alert,) = of_cells(stack.vsc("alerts", "list", "--all"))
    assert (alert["vehicle_id"], alert["component"]) == ("weak", "traction_battery")
    assert alert["locations"] == WEAK
    assert pd.Timestamp(alert["opened_at"]) <= pd.Timestamp("2019-04-15 18:09:06Z") + pd.Timedelta(days=3)
    (ticket,) = of_cells(stack.vsc("tickets", "list"))
    assert (ticket["alert_id"], ticket["state"]) == (alert["alert_id"], "booked")
    assert ticket["appointment_at"]

    replay(stack, car3, "weak")
    replay(stack, car1, "healthy")
    judge(stack)
    assert [each["alert_id"] for each in of_cells(stack.vsc("alerts", "list", "--all"))] == [alert["alert_id"]]
    assert [each["ticket_id"] for each in of_cells(stack.vsc("tickets", "list"))] == [ticket["ticket_id"]]
    assert_all_is_stored(stack, "weak", read_battery_log(car3, ZoneInfo("UTC")))
    assert_all_is_stored(stack, "healthy", read_battery_log(car1, ZoneInfo("UTC")))


def test_the_names_follow_the_columns_and_a_repaired_pack_is_healthy(
    stack: RunningStack, weak_table: pd.DataFrame, tmp_path: Path
) -> None:
    cells = [name for name in weak_table.columns if name.startswith("V_")]
    shuffled = random.Random(7).sample(cells, len(cells))
    permuted = weak_table.rename(columns=dict(zip(cells, shuffled, strict=True)))
    others = weak_table[[name for name in cells if name not in WEAK]].median(axis=1)
    repaired = weak_table.assign(**dict.fromkeys(WEAK, others))
    for name, table in (("permuted", permuted), ("repaired", repaired)):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        replay(stack, tmp_path / f"{name}.csv", name)
    judge(stack)
    (alert,) = of_cells(stack.vsc("alerts", "list", "--all"))
    assert alert["vehicle_id"] == "permuted"
    assert set(alert["locations"]) == {shuffled[cells.index(weak)] for weak in WEAK}
    assert len(of_cells(stack.vsc("tickets", "list"))) == 1


def test_killing_ingest_in_the_middle_loses_nothing_and_stores_nothing_twice(stack: RunningStack, car3: Path) -> None:
    started = stack.start("replay", str(car3), "--format", "battery-log", "--vehicle", "weak", "--speed", "max")
    kills = 0
    while started.poll() is None:
        time.sleep(0.3)
        if kills < MOST_KILLS and stored_rows(stack) > 2000 * kills:
            kills += stack.kill("ingest")
    _, complaints = started.communicate()
    assert started.returncode == 0, complaints
    assert kills >= 2
    assert_all_is_stored(stack, "weak", read_battery_log(car3, ZoneInfo("UTC")))


def stored_rows(stack: RunningStack) -> int:
    with connect(stack.addresses.database_url) as connection:
        row = connection.execute("SELECT coalesce(sum(rows), 0) FROM batch_ledger").fetchone()
    return int(row[0]) if row else 0
