"""History in Parquet files, as `vsc simulate --to` writes them.

In the folder: ``samples/YYYY-MM-DD.parquet``, ``events.parquet`` and ``vehicles.parquet``. They do not say when a
sample arrived, so of such a history there is the final view only.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import compute, dataset, parquet

from features.panel import Observations, Panel
from flows.day_block import DayBlock
from flows.history import DAY, HistoryError
from vehicle.batch import EventKind
from vehicle.moment import microseconds
from vehicle.software import SoftwareVersion, timeline, version_in
from vehicle.vehicle import VehicleRecord


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A folder of them."""

    folder: Path
    vehicles: tuple[VehicleRecord, ...]
    days: tuple[datetime, ...]

    def shelf(self, vehicles: tuple[VehicleRecord, ...]) -> "ParquetShelf":
        """What the files hold of some cars.

        Raises:
            HistoryError: if they cannot be read.
        """
        return ParquetShelf(self.folder, vehicles, _codes(self.folder, vehicles))

    def days_of(self, vehicle: VehicleRecord) -> tuple[datetime, datetime]:  # noqa: ARG002 - all cars have all days
        """Every car is judged over all days."""
        return self.days[0], self.days[-1] + DAY


@dataclass(frozen=True, slots=True)
class ParquetShelf:
    """Some of its cars."""

    folder: Path
    vehicles: tuple[VehicleRecord, ...]
    codes: Mapping[str, Mapping[str, Panel]]
    """The status bytes of trouble codes by vehicle and code."""

    def samples(self, day: datetime, signals: Sequence[str]) -> DayBlock:
        """Their samples of a day.

        Raises:
            HistoryError: if the file cannot be read.
        """
        ids = [vehicle.vehicle_id for vehicle in self.vehicles]
        path = self.folder / "samples" / f"{day.date()}.parquet"
        try:
            with parquet.ParquetFile(path) as file:
                groups = _groups_of(file.metadata, ids)
                table = file.read_row_groups(groups, ["vehicle_id", "time", *signals], use_threads=False)
            table = table.filter(compute.is_in(table["vehicle_id"].cast(pa.string()), pa.array(ids, pa.string())))
        except (pa.ArrowException, OSError) as error:
            raise HistoryError(f"{path} cannot be read: {error}") from None
        return DayBlock.of(table, self.vehicles)

    def told(self, day: datetime) -> list[Observations]:
        """Trouble codes that each of them told in a day."""
        return [_within(self.codes.get(vehicle.vehicle_id, {}), day) for vehicle in self.vehicles]


def open_folder(folder: Path) -> ParquetSource:
    """The history in a folder.

    Raises:
        HistoryError: if there is none.
    """
    try:
        rows = _read(folder / "vehicles.parquet", None).to_pylist()
        known = [msgspec.convert(row, VehicleRecord) for row in rows]
        told = _software(folder)
        vehicles = tuple(
            replace(one, software=timeline([*one.software, *told.get(one.vehicle_id, ())])) for one in known
        )
        days = [
            datetime.fromisoformat(path.stem).replace(tzinfo=UTC) for path in (folder / "samples").glob("*.parquet")
        ]
    except (msgspec.MsgspecError, ValueError) as error:
        raise HistoryError(f"{folder} is no history: {error}") from None
    if not days:
        raise HistoryError(f"{folder} is no history: there are no samples/YYYY-MM-DD.parquet")
    return ParquetSource(folder, vehicles, tuple(sorted(days)))


def _groups_of(file: parquet.FileMetaData, ids: Sequence[str]) -> list[int]:
    """The row groups that can hold samples of some cars, by what the file says of its groups.

    An expression for `pyarrow.dataset` leaves out none of them, and costs eight times as much.
    """
    ordered = sorted(ids)
    wanted = []
    for number in range(file.num_row_groups):
        group = file.row_group(number)
        columns = (group.column(place) for place in range(group.num_columns))
        told = next((one.statistics for one in columns if one.path_in_schema == "vehicle_id"), None)
        if told is None or not told.has_min_max or bisect_left(ordered, told.min) < bisect_right(ordered, told.max):
            wanted.append(number)
    return wanted


def _codes(folder: Path, vehicles: Sequence[VehicleRecord]) -> dict[str, dict[str, Panel]]:
    wanted = dataset.field("vehicle_id").isin([vehicle.vehicle_id for vehicle in vehicles])
    table = _read(folder / "events.parquet", wanted & dataset.field("code").is_valid())
    told: dict[str, dict[str, dict[int, int]]] = {}
    times = compute.cast(table["time"], pa.timestamp("us")).to_numpy().astype(np.int64).tolist()
    rows = zip(
        table["vehicle_id"].to_pylist(), table["code"].to_pylist(), times, table["status"].to_pylist(), strict=True
    )
    for vehicle_id, code, at, status in rows:
        told.setdefault(vehicle_id, {}).setdefault(code, {})[at] = status
    return {
        vehicle_id: {code: _panel(statuses) for code, statuses in codes.items()} for vehicle_id, codes in told.items()
    }


def _software(folder: Path) -> dict[str, list[SoftwareVersion]]:
    """What cars have told of their software."""
    told: dict[str, list[SoftwareVersion]] = {}
    for row in _read(folder / "events.parquet", dataset.field("kind") == EventKind.SOFTWARE).to_pylist():
        version = version_in(msgspec.json.decode(row["details"] or "{}", type=dict[str, Any]))
        if version is not None:
            told.setdefault(row["vehicle_id"], []).append(SoftwareVersion(row["time"], version))
    return told


def _read(path: Path, wanted: Any) -> pa.Table:
    try:
        return parquet.read_table(path, filters=wanted, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise HistoryError(f"{path} cannot be read: {error}") from None


def _panel(statuses: dict[int, int]) -> Panel:
    times = np.array(sorted(statuses), np.int64)
    return Panel(times.view("datetime64[us]"), np.array([statuses[at] for at in times.tolist()], float)[:, None])


def _within(codes: Mapping[str, Panel], day: datetime) -> dict[str, Panel]:
    """What was told of trouble codes in a day."""
    start = np.datetime64(microseconds(day), "us")
    found = {
        code: one.at((one.times >= start) & (one.times < start + np.timedelta64(1, "D"))) for code, one in codes.items()
    }
    return {code: one for code, one in found.items() if len(one)}
