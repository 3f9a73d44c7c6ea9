"""History in Parquet files, as `vsc simulate --to` writes them, read day by day for some cars at a time.

In the folder: ``samples/YYYY-MM-DD.parquet``, ``events.parquet`` and ``vehicles.parquet``.

Errors: `HistoryError`, whose message names what is missing or broken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import compute, dataset, parquet

from features.panel import Panel
from features.table import ARRAYS, SIGNALS
from features.window import LOOKBACK
from flows.day_block import DayBlock, observe_cars
from rules.engine.columns import Batch, batch_of
from rules.engine.needs import margin, needs, signals
from rules.rule import Rule
from vehicle.moment import microseconds
from vehicle.vehicle import VehicleRecord

CARS_TOGETHER: Final = 75
"""So many cars' days are held at a time, about 25,000 samples a day."""
DAY: Final = timedelta(days=1)


class HistoryError(Exception):
    """A folder holds no readable history."""


@dataclass(frozen=True, slots=True)
class History:
    """A fleet's."""

    folder: Path
    vehicles: tuple[VehicleRecord, ...]
    days: tuple[datetime, ...]
    """Midnights, UTC."""

    def chunks(self) -> Iterator[tuple[VehicleRecord, ...]]:
        """The cars, some at a time."""
        for first in range(0, len(self.vehicles), CARS_TOGETHER):
            yield self.vehicles[first : first + CARS_TOGETHER]

    def batches(self, vehicles: tuple[VehicleRecord, ...], rules: Sequence[Rule]) -> Iterator[tuple[Batch, int]]:
        """Day by day what rules need of some cars, and how many samples the day has.

        Raises:
            HistoryError: if a file cannot be read.
        """
        needed = signals(rules)
        observing = any(needs(rule).features for rule in rules)
        names = tuple(dict.fromkeys((*SIGNALS, *ARRAYS, *needed))) if observing else needed
        before = max(LOOKBACK, margin(rules))
        blocks: list[tuple[datetime, DayBlock]] = []
        codes = self._codes(vehicles)
        for day in self.days:
            today = DayBlock.of(self._samples(day, vehicles, names), vehicles)
            blocks = [(at, block) for at, block in blocks if at + DAY > day - before]
            blocks.append((day, today.without([name for name in ARRAYS if name not in needed])))
            since = DayBlock.joined([block for _, block in blocks]).since(microseconds(day - before))
            columns = {name: since.column(name) for name in needed}
            features = batch_of(observe_cars(since, today, vehicles, day) if observing else [])
            told = batch_of([(vehicle, _within(codes.get(vehicle.vehicle_id, {}), day)) for vehicle in vehicles])
            yield Batch(vehicles, {**columns, **features.columns, **told.columns}), len(today)

    def _samples(self, day: datetime, vehicles: Sequence[VehicleRecord], names: Sequence[str]) -> pa.Table:
        ids = [vehicle.vehicle_id for vehicle in vehicles]
        path = self.folder / "samples" / f"{day.date()}.parquet"
        try:
            source = dataset.dataset(path, format="parquet")
            return source.to_table(
                ["vehicle_id", "time", *names], dataset.field("vehicle_id").isin(ids), use_threads=False
            )
        except (pa.ArrowException, OSError) as error:
            raise HistoryError(f"{path} cannot be read: {error}") from None

    def _codes(self, vehicles: Sequence[VehicleRecord]) -> dict[str, dict[str, Panel]]:
        """The status bytes of trouble codes by vehicle and code."""
        wanted = dataset.field("vehicle_id").isin([vehicle.vehicle_id for vehicle in vehicles])
        table = _read(self.folder / "events.parquet", wanted & dataset.field("code").is_valid())
        told: dict[str, dict[str, dict[int, int]]] = {}
        times = compute.cast(table["time"], pa.timestamp("us")).to_numpy().astype(np.int64).tolist()
        rows = zip(
            table["vehicle_id"].to_pylist(), table["code"].to_pylist(), times, table["status"].to_pylist(), strict=True
        )
        for vehicle_id, code, at, status in rows:
            told.setdefault(vehicle_id, {}).setdefault(code, {})[at] = status
        return {
            vehicle_id: {code: _panel(statuses) for code, statuses in codes.items()}
            for vehicle_id, codes in told.items()
        }


def open_history(folder: Path) -> History:
    """The history in a folder.

    Raises:
        HistoryError: if there is none.
    """
    try:
        rows = _read(folder / "vehicles.parquet", None).to_pylist()
        vehicles = tuple(msgspec.convert(row, VehicleRecord) for row in rows)
        days = [
            datetime.fromisoformat(path.stem).replace(tzinfo=UTC) for path in (folder / "samples").glob("*.parquet")
        ]
    except (msgspec.ValidationError, ValueError) as error:
        raise HistoryError(f"{folder} is no history: {error}") from None
    if not days:
        raise HistoryError(f"{folder} is no history: there are no samples/YYYY-MM-DD.parquet")
    return History(folder, vehicles, tuple(sorted(days)))


def _read(path: Path, wanted: Any) -> pa.Table:
    try:
        return parquet.read_table(path, filters=wanted, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise HistoryError(f"{path} cannot be read: {error}") from None


def _panel(statuses: dict[int, int]) -> Panel:
    times = np.array(sorted(statuses), np.int64)
    return Panel(times.view("datetime64[us]"), np.array([statuses[at] for at in times.tolist()], float)[:, None])


def _within(codes: dict[str, Panel], day: datetime) -> dict[str, Panel]:
    """What was told of trouble codes in a day."""
    start = np.datetime64(microseconds(day), "us")
    found = {
        code: one.at((one.times >= start) & (one.times < start + np.timedelta64(1, "D"))) for code, one in codes.items()
    }
    return {code: one for code, one in found.items() if len(one)}
