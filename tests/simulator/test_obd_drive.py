"""Drives from a diagnostic socket: columns by name, codes that are no measurement, and times that are counted up."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.obd_drive import read_obd_csv
from simulator.recording import Recording, RecordingError
from simulator.replay import FORMATS, replay_boot
from vehicle.signals import CATALOGUE

GOLDEN = Path(__file__).parents[1] / "golden" / "recordings" / "drive.csv"
START = datetime(2026, 1, 5, 7, tzinfo=UTC)


def seconds(recording: Recording) -> list[float]:
    since = (recording.times - np.datetime64("2026-01-05T07:00", "us")) / np.timedelta64(1, "s")
    return [float(one) for one in since]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "drive.csv"
    path.write_bytes(text.encode("latin-1"))
    return path


def test_the_golden_drive_reads_as_it_was_written() -> None:
    drive = read_obd_csv(GOLDEN, START)
    assert seconds(drive) == [0, 1, 2, 3, 4, 6]
    expected = {
        "engine_speed_rpm": [0, 812.5, np.nan, 1450, 2100, 2100],
        "speed_kmh": [0, 0, 0, 11, np.nan, 30],
        "engine_coolant_temp_c": [21, 21, np.nan, 22, 22, np.nan],
        "lv_voltage_v": [12.381, 14.21, 14.208, np.nan, np.nan, 14.19],
    }
    assert list(drive.columns) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(drive.columns[name], values, name)
    assert drive.cell_count is None
    assert drive.remarks == (
        "1 rows without a readable time left out",
        "2 rows with a time already seen left out",
        "engine_speed_rpm: 1 values beyond 0 to 16000 taken as not sampled",
        "speed_kmh: 1 values beyond 0 to 254 taken as not sampled",
        "engine_coolant_temp_c: 2 values beyond -39 to 199 taken as not sampled",
        "lv_voltage_v: 2 values beyond 1 to 31 taken as not sampled",
    )


def test_a_gzip_reads_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "drive.csv.gz"
    packed.write_bytes(gzip.compress(GOLDEN.read_bytes()))
    one, other = read_obd_csv(GOLDEN, START), FORMATS["obd-csv"].read(packed, ZoneInfo("Asia/Shanghai"), START)
    np.testing.assert_array_equal(one.times, other.times)
    for name, values in one.columns.items():
        np.testing.assert_array_equal(values, other.columns[name], name)


def test_units_are_those_of_the_catalogue_or_the_column_is_left_out(tmp_path: Path) -> None:
    text = "engine run time (s),Vehicle Speed (mph),Engine Coolant Temperature [°C],AMBIENT_AIR_TEMP (F)\n1,10,80,50\n"
    drive = read_obd_csv(written(tmp_path, text), START)
    assert drive.columns["engine_coolant_temp_c"].tolist() == [80]
    assert list(drive.columns) == ["engine_coolant_temp_c"]
    assert drive.remarks == ("VEHICLE_SPEED is in mph: left out", "AMBIENT_AIR_TEMP is in f: left out")


def test_an_engine_that_starts_again_goes_on(tmp_path: Path) -> None:
    rows = "".join(f"{second},{second}\n" for second in (0, 100, 101, 0, 1, 1, 50))
    drive = read_obd_csv(written(tmp_path, "ENGINE_RUN_TIME (),ENGINE_RPM ()\n" + rows), START)
    assert seconds(drive) == [0, 100, 101, 102, 103, 152]
    assert "the run time begins anew 1 times: taken to go on at once" in drive.remarks


def test_a_row_out_of_order_is_left_out(tmp_path: Path) -> None:
    rows = "".join(f"{second},{second}\n" for second in (100, 101, 100, 102))
    assert seconds(read_obd_csv(written(tmp_path, "ENGINE_RUN_TIME,ENGINE_RPM\n" + rows), START)) == [100, 101, 102]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "cannot be read as a table"),
        ("a,b\n1,2\n", "is not an obd-csv: it has no column ENGINE_RUN_TIME"),
        ("ENGINE_RUN_TIME (),FUEL_TANK ()\n1,2\n", "has none of the columns ENGINE_RPM"),
        ("ENGINE_RUN_TIME (),ENGINE_RPM ()\nsoon,2\n", "column ENGINE_RUN_TIME holds no times"),
        ("ENGINE_RUN_TIME (),ENGINE_RPM ()\n1,2,3,4\n", "cannot be read as a table"),
    ],
)
def test_a_wrong_file_gets_one_clear_line(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(RecordingError, match=says) as raised:
        read_obd_csv(written(tmp_path, content), START)
    assert "\n" not in str(raised.value)


def test_half_a_gzip_gets_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "drive.csv.gz"
    path.write_bytes(gzip.compress(GOLDEN.read_bytes())[:-40])
    with pytest.raises(RecordingError, match=r"drive\.csv\.gz cannot be read as a table"):
        read_obd_csv(path, START)


def test_another_start_is_another_boot() -> None:
    later = START.replace(hour=8)
    boots = [replay_boot(GOLDEN, "car-1", start) for start in (START, START, later, None)]
    assert boots[0] == boots[1]
    assert len(set(boots)) == 3


@pytest.mark.recordings
def test_recorded_drives_read_with_plausible_values(recordings: Path) -> None:
    files = sorted((recordings / "carobd").glob("*.csv.gz"))
    if not files:
        pytest.skip(f"no drives in {recordings}")
    for file in files[:4]:
        drive = read_obd_csv(file, START)
        assert len(drive.times) > 100
        assert (np.diff(drive.times) > np.timedelta64(0)).all()
        assert set(drive.columns) >= {"engine_speed_rpm", "speed_kmh", "engine_coolant_temp_c", "lv_voltage_v"}
        for signal, values in drive.columns.items():
            assert CATALOGUE[signal].minimum <= np.nanmin(values) <= np.nanmax(values) <= CATALOGUE[signal].maximum
