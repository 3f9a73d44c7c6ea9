"""The whole catalogue over recorded cars: what is found in them as they are, and the smallest injected fault that is.

The folder is laid out as that of `VSC_RECORDINGS`: battery logs of electric cars in ``ev_battery_fault/``, a car a
file, and the drives of one petrol car in ``carobd/``, a drive a file. Whatever readable files are there are judged.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.injected import FAULTS, Found, smallest
from flows.diagnose import all_detectors
from flows.one_car import Samples, judge_history
from simulator.recording import Recording, RecordingError
from simulator.replay import FORMATS
from vehicle.finding import Finding
from vehicle.moment import moment
from vehicle.vehicle import VehicleRecord
from vsc.runtime.progress import Report

ZONE: Final = ZoneInfo("Asia/Shanghai")
"""Of the battery logs' local times."""
START: Final = datetime(2026, 1, 5, 7, tzinfo=UTC)
BETWEEN_DRIVES: Final = timedelta(hours=12)
"""Drives have no date: to work and back, one begins twelve hours after the other."""
HEALTHY: Final = ("ev_battery_fault/car1", "carobd")
"""Of which it is known that nothing is wrong with them."""
MOST_ALERTS: Final = 1
DRIFT_MV: Final = 15.0
"""A drift of so much in a cell of a healthy car must be found."""
_SUFFIXES: Final = (".csv", ".csv.gz", ".csv.zip", ".zip")


@dataclass(frozen=True, slots=True, eq=False)
class RecordedCar:
    """One car's recordings, one after the other."""

    name: str
    samples: Samples
    drives: Mapping[str, tuple[np.datetime64, np.datetime64]]
    """First and last sample of each file."""
    remarks: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether it is known that nothing is wrong with it."""
        return self.name in HEALTHY


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a folder holds."""

    cars: tuple[RecordedCar, ...]
    unreadable: tuple[str, ...]
    """A line for each file that could not be read."""


def gather(folder: Path, zone: ZoneInfo = ZONE, start: datetime = START) -> Gathered:
    """The recorded cars of a folder.

    Raises:
        RecordingError: if the folder has none that can be read.
    """
    sets = [
        (f"ev_battery_fault/{_stem(file).removesuffix('_processed')}", "battery-log", [file])
        for file in _files(folder / "ev_battery_fault")
    ]
    sets += [("carobd", "obd-csv", drives)] if (drives := _files(folder / "carobd")) else []
    cars: list[RecordedCar] = []
    unreadable: list[str] = []
    for name, form, files in sets:
        recordings, wrong = _read(form, files, zone, start)
        unreadable += wrong
        if recordings:
            cars.append(_car(name, form, recordings, start))
    if not cars:
        raise RecordingError("; ".join(unreadable) or f"{folder} has no ev_battery_fault/ or carobd/ with recordings")
    return Gathered(tuple(cars), tuple(unreadable))


def measure(gathered: Gathered, report: Report) -> dict[str, Any]:
    """The figures by the names of ``--json``."""
    detectors = all_detectors()
    cars: list[dict[str, Any]] = []
    injected: list[Found] = []
    for car in gathered.cars:
        report(f"Judging {car.name}", 0.0)
        found = judge_history(car.samples, detectors).findings
        cars.append(_told(car, found))
        told = {one.failure_mode for one in found}
        faults = [one for one in FAULTS if one.suits(car.samples) and one.mode not in told]
        for number, fault in enumerate(faults):
            report(f"Injecting into {car.name}", number / len(faults))
            injected.append(smallest(car.name, fault, car.samples, detectors))
        report(f"Judging {car.name}", 1.0)
    return {
        "cars": cars,
        "injected": [one.row() for one in injected],
        "aims": _aims(gathered.cars, cars, injected),
        "unreadable": list(gathered.unreadable),
    }


def alerts_of(findings: Sequence[Finding]) -> list[Finding]:
    """The finding that opens each alert: there is one for a car, component and failure mode, however many find it."""
    firsts: dict[tuple[str, str], Finding] = {}
    for one in sorted(findings, key=lambda finding: finding.observed_at):
        if not one.cleared:
            firsts.setdefault((one.component, one.failure_mode), one)
    return list(firsts.values())


def _files(folder: Path) -> list[Path]:
    """Recordings in the order of the numbers in their names."""
    found = [path for path in folder.glob("*") if path.name.endswith(_SUFFIXES)] if folder.is_dir() else []
    return sorted(
        found, key=lambda path: [(int(part), "") if part.isdecimal() else (-1, part) for part in _parts(path)]
    )


def _parts(path: Path) -> list[str]:
    return [part for part in re.split(r"([0-9]+)", path.name) if part]


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _read(form: str, files: Sequence[Path], zone: ZoneInfo, start: datetime) -> tuple[dict[Path, Recording], list[str]]:
    """The recordings that can be read, and a line for each that cannot."""
    read: dict[Path, Recording] = {}
    wrong: list[str] = []
    for number, file in enumerate(files):
        try:
            recording = FORMATS[form].read(file, zone, start + number * BETWEEN_DRIVES)
        except RecordingError as error:
            wrong.append(f"{file.parent.name}: {error}")
            continue
        if len(recording.times):
            read[file] = recording
    return read, wrong


def _car(name: str, form: str, recordings: Mapping[Path, Recording], start: datetime) -> RecordedCar:
    each = [*recordings.values()]
    record = VehicleRecord(
        name.replace("/", "-"), start, cell_count=each[0].cell_count, powertrain=FORMATS[form].powertrain
    )
    drives = {_stem(file): (one.times[0], one.times[-1]) for file, one in recordings.items()}
    remarks = tuple(f"{file.name}: {remark}" for file, one in recordings.items() for remark in one.remarks)
    times, columns = _joined(each)
    return RecordedCar(name, Samples(record, times, columns), drives, remarks)


def _joined(recordings: Sequence[Recording]) -> tuple[NDArray[np.datetime64], dict[str, NDArray[np.float64]]]:
    """Recordings one after the other; of times that two have, the earlier file's count."""
    times = np.concatenate([one.times for one in recordings])
    times, places = np.unique(times, return_index=True)
    shapes = {name: values.shape[1:] for one in recordings for name, values in one.columns.items()}
    columns = {
        name: np.concatenate([one.columns.get(name, np.full((len(one.times), *shape), np.nan)) for one in recordings])[
            places
        ]
        for name, shape in shapes.items()
    }
    return times, columns


def _told(car: RecordedCar, found: Sequence[Finding]) -> dict[str, Any]:
    opened = [_row(car, one) for one in alerts_of(found)]
    in_drives = {name: sum(one["drive"] == name for one in opened) for name in car.drives}
    return {
        "car": car.name,
        "healthy": car.healthy,
        "samples": len(car.samples.times),
        "files": len(car.drives),
        "from": moment(car.samples.times[0]).isoformat(),
        "until": moment(car.samples.times[-1]).isoformat(),
        "findings": [_row(car, one) for one in found],
        "alerts": opened,
        "alerts_by_file": in_drives,
        "remarks": list(car.remarks),
    }


def _row(car: RecordedCar, one: Finding) -> dict[str, Any]:
    at = np.datetime64(one.observed_at.astimezone(UTC).replace(tzinfo=None), "us")
    begun = [name for name, (first, _) in car.drives.items() if first <= at]
    return {
        "detector": one.detector,
        "failure_mode": str(one.failure_mode),
        "severity": one.severity.name.lower(),
        "at": one.observed_at.isoformat(),
        "drive": begun[-1] if begun else "",
        "locations": list(one.locations),
        "cleared": one.cleared,
        "summary": one.evidence.summary,
    }


def _aims(
    cars: Sequence[RecordedCar], told: Sequence[Mapping[str, Any]], injected: Sequence[Found]
) -> list[dict[str, Any]]:
    """What must be reached on the cars that are healthy."""
    rows = []
    for car, one in zip(cars, told, strict=True):
        if not car.healthy:
            continue
        count = len(one["alerts"])
        rows.append(
            {"aim": f"{car.name}: at most {MOST_ALERTS} alert", "figure": count, "reached": count <= MOST_ALERTS}
        )
        for fault in (each for each in injected if each.car == car.name):
            limit = DRIFT_MV if fault.unit == "mV" else np.inf
            reached = fault.size is not None and fault.size <= limit
            rows.append({"aim": f"{car.name}: {fault.title} is found", "figure": fault.size, "reached": reached})
    return rows
