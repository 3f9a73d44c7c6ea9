"""Recorded drives: columns by name, signs and offsets from the data, sentinels as not sampled."""

import io
import zipfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from simulator.packing import pack
from simulator.recording import Recording, RecordingError
from simulator.replay import FORMATS, read_battery_log, replay_boot
from vehicle.batch import Event, EventBatch, EventKind, TelemetryBatch
from vehicle.codec import MAX_PAYLOAD_BYTES
from vehicle.moment import moment
from vehicle.signals import CATALOGUE
from vehicle.wire import encode_telemetry

UTC = ZoneInfo("UTC")


def a_log(rows: int = 600) -> pd.DataFrame:
    """A discharge at 20 A, then a charge at 40 A, in the signs of GB/T 32960 (positive: out of the battery)."""
    current = np.where(np.arange(rows) < rows / 2, 20.0, -40.0)
    return pd.DataFrame(
        {
            "tboxTime": pd.date_range("2019-04-15 18:09:06", periods=rows, freq="10s").astype(str),
            "BMSChargeStatus": np.where(current > 0, 3.0, 1.0),
            "vehSpeed": np.where(current > 0, 50.0, 0.0),
            "BMSBatteryCurrent": current,
            "vehBMSPackSOC": 80 - np.cumsum(current) / 1000,
            "vehOdo": 31000.0,
            "BMSProbeTempMax": 25.0,
            "V_1": 3.7,
            "V_2": 3.71,
            "V_3": 3.72,
            "T_1": 64.0,
            "T_2": 65.0,
        }
    )


def written(table: pd.DataFrame, path: Path) -> Path:
    table.to_csv(path, index=False)
    return path


def test_the_current_is_positive_into_the_battery_whatever_the_file_says(tmp_path: Path) -> None:
    turned = a_log()
    turned["BMSBatteryCurrent"] *= -1
    for number, table in enumerate((a_log(), turned)):
        recording = read_battery_log(written(table, tmp_path / f"{number}.csv"), UTC)
        assert recording.columns["hv_current_a"][0] == -20
        assert recording.columns["hv_current_a"][-1] == 40


def test_cells_go_by_their_number_not_their_place(tmp_path: Path) -> None:
    table = a_log()[["V_3", "T_1", "V_1", "BMSBatteryCurrent", "tboxTime"]]
    cells = read_battery_log(written(table, tmp_path / "log.csv"), UTC).columns["cell_voltages_v"]
    assert cells.shape == (600, 3)
    assert cells[0, 0] == 3.7
    assert np.isnan(cells[0, 1])
    assert cells[0, 2] == 3.72


def test_sentinels_are_not_measurements(tmp_path: Path) -> None:
    table = a_log()
    table.loc[5, ["V_1", "T_1", "T_2", "vehOdo", "vehBMSPackSOC"]] = [5.0, 255.0, 511.0, 0.0, 127.5]
    table.loc[6, "V_1"] = 66.535
    recording = read_battery_log(written(table, tmp_path / "log.csv"), UTC)
    for name in ("odometer_km", "hv_soc_pct"):
        assert np.isnan(recording.columns[name][5])
        assert np.isfinite(recording.columns[name][4])
    assert np.isnan(recording.columns["cell_voltages_v"][5:7, 0]).all()
    assert np.isnan(recording.columns["module_temps_c"][5]).all()
    assert any("cell_voltages_v: 2 values" in remark for remark in recording.remarks)


def test_raw_probe_temperatures_lose_their_offset(tmp_path: Path) -> None:
    recording = read_battery_log(written(a_log(), tmp_path / "raw.csv"), UTC)
    assert recording.columns["module_temps_c"][0].tolist() == [24.0, 25.0]
    plain = a_log().assign(T_1=24.0, T_2=25.0)
    recording = read_battery_log(written(plain, tmp_path / "plain.csv"), UTC)
    assert recording.columns["module_temps_c"][0].tolist() == [24.0, 25.0]


def test_each_time_comes_once_in_order_and_in_utc(tmp_path: Path) -> None:
    table = pd.concat([a_log(), a_log().iloc[[3, 3]].assign(vehSpeed=99.0)])
    recording = read_battery_log(written(table, tmp_path / "log.csv"), ZoneInfo("Asia/Shanghai"))
    assert len(recording.times) == 600
    assert (np.diff(recording.times) > np.timedelta64(0)).all()
    assert recording.times[0] == np.datetime64("2019-04-15T10:09:06", "us")
    assert recording.columns["speed_kmh"][3] == 50.0


def test_zipped_and_plain_files_read_the_same(tmp_path: Path) -> None:
    plain = written(a_log(), tmp_path / "log.csv")
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.write(plain, "log.csv")
    one, other = (read_battery_log(tmp_path / name, UTC) for name in ("log.csv", "log.zip"))
    for name, values in one.columns.items():
        np.testing.assert_array_equal(values, other.columns[name])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read as a table"),
        (b"\x00\xff\xfe" * 50, "cannot be read|is not a battery-log"),
        (b"a,b\n1,2\n", "is not a battery-log: it has no column tboxTime"),
        (b"tboxTime,V_1,BMSBatteryCurrent\nnever,3.7,0\n", "holds no times"),
    ],
)
def test_a_wrong_file_gets_one_clear_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=says) as raised:
        read_battery_log(path, UTC)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"there is no file .*nowhere\.csv"):
        read_battery_log(tmp_path / "nowhere.csv", UTC)


def test_a_replays_boot_is_of_file_and_vehicle(tmp_path: Path) -> None:
    one = written(a_log(), tmp_path / "one.csv")
    other = written(a_log(601), tmp_path / "other.csv")
    assert replay_boot(one, "car-1") == replay_boot(one, "car-1")
    assert len({replay_boot(one, "car-1"), replay_boot(one, "car-2"), replay_boot(other, "car-1")}) == 3


def test_batches_carry_every_sample_once_and_fit_a_packet() -> None:
    times = np.datetime64("2026-01-01", "us") + np.arange(1000) * np.timedelta64(1, "s")
    cells = np.random.default_rng(1).uniform(3, 4, (1000, 400))
    empty = np.full(1000, np.nan)
    packed = list(pack("car-1", "00c0ffee00c0ffee", 5, times, {"cell_voltages_v": cells, "lv_voltage_v": empty}))
    batches = [batch for batch in packed if isinstance(batch, TelemetryBatch)]
    assert len(batches) == len(packed)
    assert [batch.seq for batch in batches] == list(range(5, 5 + len(batches)))
    np.testing.assert_array_equal(np.concatenate([batch.times for batch in batches]), times)
    np.testing.assert_array_equal(np.concatenate([batch.columns["cell_voltages_v"] for batch in batches]), cells)
    assert all("lv_voltage_v" not in batch.columns for batch in batches)
    assert max(len(encode_telemetry(batch)) for batch in batches) <= MAX_PAYLOAD_BYTES


@pytest.mark.recordings
@pytest.mark.parametrize(("name", "cells"), [("car1", 96), ("car3", 87)])
def test_recorded_cars_read_with_plausible_values(recordings: Path, name: str, cells: int) -> None:
    file = recordings / "ev_battery_fault" / f"{name}_processed.zip"
    recording: Recording = FORMATS["battery-log"].read(file, UTC, datetime.now(UTC))
    assert recording.cell_count == cells
    voltages = recording.columns["cell_voltages_v"]
    assert 2.5 < np.nanmin(voltages) < np.nanmax(voltages) < 4.3
    assert np.isfinite(voltages).mean() > 0.99
    assert np.nanmin(recording.columns["module_temps_c"]) > 0
    moving = recording.columns["speed_kmh"] > 30
    assert np.nanmedian(recording.columns["hv_current_a"][moving]) < 0, "driving takes energy out"
    for signal, values in recording.columns.items():
        assert np.nanmin(values) >= CATALOGUE[signal].minimum, signal
        assert np.nanmax(values) <= CATALOGUE[signal].maximum, signal


def test_a_gzip_reads_too(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    a_log().to_csv(buffer, index=False, compression="gzip")
    (tmp_path / "log.csv.gz").write_bytes(buffer.getvalue())
    assert read_battery_log(tmp_path / "log.csv.gz", UTC).cell_count == 3


def test_events_follow_the_samples_up_to_their_time_and_none_is_left_out() -> None:
    times = np.datetime64("2026-01-01", "us") + np.arange(120) * np.timedelta64(1, "m")
    starts = [moment(times[3]), moment(times[49]), moment(times[50]), moment(times[-1] + np.timedelta64(1, "h"))]
    events = [Event(at, EventKind.DRIVE_START) for at in starts]
    packed = list(pack("car-1", "00c0ffee00c0ffee", 1, times, {"speed_kmh": np.ones(120)}, events=events))
    assert [batch.seq for batch in packed] == list(range(1, len(packed) + 1))
    kinds = [len(batch.events) if isinstance(batch, EventBatch) else "samples" for batch in packed]
    assert kinds == ["samples", 2, "samples", 1, "samples", 1]
    assert all(event.at <= batch.sent_at for batch in packed if isinstance(batch, EventBatch) for event in batch.events)
