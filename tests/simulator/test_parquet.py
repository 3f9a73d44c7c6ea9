"""The fleet on disk is the fleet: every sample, event and fact, and nothing else."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from simulator import parquet
from simulator.fleet import Fleet, build_fleet
from simulator.parquet import write_fleet
from simulator.truth import read_truth
from vehicle.signals import CATALOGUE, SignalKind

START = date(2026, 9, 1)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Fleet, int]:
    folder = tmp_path_factory.mktemp("fleet") / "out"
    fleet = build_fleet(9, 3, 5, START)
    shares: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROWS_TOGETHER", 1000)
        count = write_fleet(folder, fleet, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return folder, fleet, count


def cars_of(file: Path) -> dict[str, pa.Table]:
    table = pq.read_table(file)
    ids = np.array(table["vehicle_id"].to_pylist())
    return {str(one): table.filter(pa.array(ids == one)) for one in dict.fromkeys(ids)}


def test_every_sample_is_there_in_the_types_of_the_database(written: tuple[Path, Fleet, int]) -> None:
    folder, fleet, count = written
    found = 0
    for index in range(fleet.days):
        cars = cars_of(folder / "samples" / f"2026-09-0{index + 1}.parquet")
        for vehicle_id, samples in fleet.day(index):
            table = cars.pop(vehicle_id)
            found += len(samples.times)
            assert (table["time"].to_numpy() == samples.times).all()
            for name, signal in CATALOGUE.items():
                column = table[name].combine_chunks()
                expected = samples.columns.get(name)
                if expected is None:
                    assert column.null_count == len(samples.times)
                elif signal.kind is SignalKind.ENUMERATION:
                    names = [None if np.isnan(one) else signal.values[int(one)] for one in expected]
                    assert column.to_pylist() == names
                elif signal.kind is SignalKind.ARRAY:
                    sampled = ~np.isnan(expected).all(axis=1)
                    lists = column.to_pylist()
                    assert [one is not None for one in lists] == sampled.tolist()
                    read = np.array([one for one in lists if one is not None], dtype=np.float32)
                    np.testing.assert_array_equal(read, expected[sampled].astype(np.float32))
                else:
                    read = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
                    np.testing.assert_allclose(read, expected, rtol=1e-7)
        assert not cars
    assert found == count


def test_events_vehicles_and_truth_are_there(written: tuple[Path, Fleet, int]) -> None:
    folder, fleet, _ = written
    rows = pq.read_table(folder / "events.parquet").to_pylist()
    expected = [
        (vehicle_id, one) for index in range(fleet.days) for vehicle_id, day in fleet.day(index) for one in day.events
    ]
    assert len(expected) > 50
    assert [(row["vehicle_id"], row["time"], row["kind"]) for row in rows] == [
        (vehicle_id, one.at, one.kind.value) for vehicle_id, one in expected
    ]
    assert [json.loads(row["details"] or "{}") for row in rows] == [one.details for _, one in expected]
    records = pq.read_table(folder / "vehicles.parquet").to_pylist()
    assert [row["vin"] for row in records] == [vehicle.record.vin for vehicle in fleet.vehicles]
    assert read_truth(folder / "truth.jsonl") == fleet.truth


def test_rows_are_written_in_groups(written: tuple[Path, Fleet, int]) -> None:
    folder, _, _ = written
    facts = pq.ParquetFile(folder / "samples" / "2026-09-01.parquet").metadata
    groups = [facts.row_group(number).num_rows for number in range(facts.num_row_groups)]
    assert len(groups) > 1
    assert max(groups) < 2000


def test_same_fleet_same_files_and_a_full_folder_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_fleet(tmp_path / name, build_fleet(2, 2, 3, START), lambda _: None)
    files = [file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file()]
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    with pytest.raises(FileExistsError, match="not empty"):
        write_fleet(tmp_path / "one", build_fleet(2, 2, 3, START), lambda _: None)
