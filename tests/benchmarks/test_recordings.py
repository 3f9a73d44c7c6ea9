"""Recorded cars in a folder, judged as they are and with faults injected."""

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from benchmarks.injected import FAULTS, mode_of, smallest
from benchmarks.recordings import RecordedCar, alerts_of, gather, measure
from flows.diagnose import all_detectors
from flows.one_car import judge_history
from simulator.recording import RecordingError
from vehicle.failure import FailureMode
from vsc.runtime.progress import silent

DETECTORS = all_detectors()


def a_drive(folder: Path, name: str, number: int, coolant: float = 89.0, volts: float = 14.1) -> None:
    """Forty minutes, a row every ten seconds; a little different each time."""
    rng = np.random.default_rng(number)
    seconds = np.arange(0, 2400, 10)
    warm = np.minimum(20.0 + seconds / 8.0, coolant) + rng.integers(-1, 2, len(seconds))
    rows = zip(seconds, 800 + 900 * (seconds > 60), warm, volts + rng.normal(0, 0.05, len(seconds)), strict=True)
    text = "ENGINE_RUN_TINE (),ENGINE_RPM (),COOLANT_TEMPERATURE (),CONTROL_MODULE_VOLTAGE ()\n"
    text += "".join(f"{at}.0, {rpm}, {temperature:.0f}, {voltage:.3f},\n" for at, rpm, temperature, voltage in rows)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(gzip.compress(text.encode()))


def a_log(folder: Path, name: str) -> None:
    """Two days of an electric car, a row a minute."""
    minutes = np.arange(2 * 1440)
    rng = np.random.default_rng(1)
    times = np.datetime64("2021-05-05T08:00") + minutes.astype("timedelta64[m]")
    cells = (3.8 + 0.05 * np.sin(minutes / 100))[:, None] + rng.normal(0, 0.004, 12) + rng.normal(0, 1e-3, (2880, 12))
    header = ",".join(["tboxTime", "BMSBatteryCurrent", *(f"V_{number}" for number in range(1, 13))])
    rows = [f"{str(at).replace('T', ' ')}:00,1.0,{','.join(f'{v:.3f}' for v in row)}" for at, row in zip(times, cells)]  # noqa: B905 -- of one length
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([header, *rows]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A petrol car's drives, of which one cannot be read, and an electric car."""
    folder = tmp_path_factory.mktemp("recordings")
    for number in range(1, 17):
        a_drive(folder / "carobd", f"drive{number}.csv.gz", number)
    (folder / "carobd" / "long1.csv.gz").write_bytes(b"no gzip")
    a_log(folder / "ev_battery_fault", "car1_processed.csv")
    return folder


def test_drives_follow_each_other_in_the_order_of_their_numbers(folder: Path) -> None:
    gathered = gather(folder)
    electric, petrol = gathered.cars
    assert [*petrol.drives] == [f"drive{number}" for number in range(1, 17)]
    first, second = (petrol.drives[name][0] for name in ("drive1", "drive2"))
    assert first == np.datetime64("2026-01-05T07:00", "us")
    assert second - first == np.timedelta64(12, "h")
    assert (electric.name, electric.healthy, petrol.healthy) == ("ev_battery_fault/car1", True, True)
    assert len(gathered.unreadable) == 1
    assert gathered.unreadable[0].startswith("carobd: long1.csv.gz cannot be read as a table")


def test_what_is_found_and_the_smallest_that_is(folder: Path) -> None:
    figures = measure(gather(folder, ZoneInfo("UTC")), silent)
    assert [one["alerts"] for one in figures["cars"]] == [[], []]
    sizes = {(one["car"], one["fault"]): one["smallest"] for one in figures["injected"]}
    assert len(sizes) == len(FAULTS)
    hot, cold = (sizes["carobd", f"coolant {way} from half of the drives on"] for way in ("warmer", "cooler"))
    assert 6 <= hot <= 10
    assert 17 <= cold <= 20
    assert 0.6 <= sizes["carobd", "voltage of the running car lower from half of the drives on"] <= 1.1
    assert 8 <= sizes["ev_battery_fault/car1", "drift of one cell group to the end, the middle one"] <= 15
    assert all(one["reached"] for one in figures["aims"])


def test_a_fault_that_is_there_is_told_with_its_drive_and_no_other_is_injected(tmp_path: Path) -> None:
    for number in range(1, 17):
        a_drive(tmp_path / "carobd", f"drive{number}.csv.gz", number, coolant=89.0 if number < 12 else 118.0)
    figures = measure(gather(tmp_path), silent)
    (car,) = figures["cars"]
    (alert,) = car["alerts"]
    assert (alert["failure_mode"], alert["drive"]) == ("engine_overheating", "drive12")
    assert car["alerts_by_file"]["drive12"] == 1
    assert not any("warmer" in one["fault"] for one in figures["injected"])


def test_a_folder_without_recordings_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="has no ev_battery_fault/ or carobd/"):
        gather(tmp_path)
    (tmp_path / "carobd").mkdir()
    (tmp_path / "carobd" / "drive1.csv").write_text("a,b\n1,2\n")
    with pytest.raises(RecordingError, match=r"carobd: drive1\.csv is not an obd-csv"):
        gather(tmp_path)


@pytest.fixture(scope="module")
def recorded(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> RecordedCar:
    """The petrol car's drives alone."""
    if not (recordings / "carobd").is_dir():
        pytest.skip(f"no drives in {recordings}")
    folder = tmp_path_factory.mktemp("drives")
    (folder / "carobd").symlink_to((recordings / "carobd").resolve())
    return gather(folder).cars[0]


@pytest.mark.recordings
def test_at_most_one_alert_on_the_recorded_drives(recorded: RecordedCar) -> None:
    assert len(alerts_of(judge_history(recorded.samples, DETECTORS).findings)) <= 1


@pytest.mark.recordings
@pytest.mark.parametrize(("mode", "at_most"), [(FailureMode.ENGINE_OVERHEATING, 30), (FailureMode.ALTERNATOR_FAULT, 2)])
def test_coolant_and_voltage_faults_are_found_in_the_recorded_drives(
    recorded: RecordedCar, mode: FailureMode, at_most: float
) -> None:
    fault = next(one for one in FAULTS if one.mode is mode)
    found = smallest(recorded.name, fault, recorded.samples, [one for one in DETECTORS if mode_of(one) is mode])
    assert found.size is not None
    assert found.size <= at_most
