"""One unit of the plan, simulated and judged: what the detectors found, and what was true."""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from benchmarks.detection_plan import Unit
from config.settings import CHECKOUT
from diagnostics.cell_drift import FEATURE as BY_HOUR
from diagnostics.cell_peers import FEATURE as BY_DAY
from features.panel import Panel
from flows.backtest import Fire, fires
from flows.diagnose import all_detectors
from flows.history import History
from flows.judging import Detector
from flows.parquet_history import open_folder
from rules.detector import RuleDetector
from rules.engine.columns import Batch
from rules.engine.judge import judge_all
from rules.engine.memory import Memory
from simulator.parquet import write_fleet
from simulator.truth import ConfounderTruth, FaultTruth
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord

JUDGED_BY: Final = ("rules", "features", "diagnostics", "simulator", "vehicle", "flows", "benchmarks")
"""Whose code a result rests on."""


class Judged(msgspec.Struct, frozen=True):
    """What became of one unit."""

    key: str
    """Of the unit and of the code it was judged by."""
    unit: Unit
    vehicles: tuple[VehicleRecord, ...]
    fires: tuple[Fire, ...]
    faults: tuple[FaultTruth, ...]
    confounders: tuple[ConfounderTruth, ...]
    samples: int
    seconds: float
    """Of CPU."""


def run(unit: Unit, code: str, keep: Path | None = None) -> Judged:
    """Simulate and judge a unit, through Parquet files in a temporary folder, or in `keep` if they shall stay."""
    begin = time.process_time()
    fleet = unit.fleet()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary, "fleet") if keep is None else keep / unit.name.replace(" ", "-")
        write_fleet(folder, fleet, lambda _: None)
        history = History.of(open_folder(folder))
        findings, samples = judge(history, all_detectors())
    truth = fleet.truth
    return Judged(
        key=key_of(unit, code),
        unit=unit,
        vehicles=history.vehicles,
        fires=fires(findings),
        faults=truth.faults,
        confounders=truth.confounders,
        samples=samples,
        seconds=time.process_time() - begin,
    )


def judge(history: History, detectors: Sequence[Detector]) -> tuple[list[Finding], int]:
    """What rules and models find in a history, and how many samples it has."""
    rules = [one.rule for one in detectors if isinstance(one, RuleDetector)]
    models = [one for one in detectors if not isinstance(one, RuleDetector)]
    findings: list[Finding] = []
    samples = 0
    for vehicles in history.chunks():
        memories = {rule.rule_id: [Memory() for _ in vehicles] for rule in rules}
        states = {(model.name, car): None for model in models for car in range(len(vehicles))}
        for batch, count in history.batches(vehicles, rules):
            findings += judge_all(rules, batch, memories)
            samples += count
            for car, vehicle in enumerate(vehicles):
                observed = _observed(batch, car)
                for model in models if observed else ():
                    states[model.name, car], news = model.evaluate(vehicle, observed, states[model.name, car])
                    findings += news
    return findings, samples


def _observed(batch: Batch, car: int) -> dict[str, Panel]:
    """What the models look at, of one car."""
    panels = {}
    for name in (BY_DAY, BY_HOUR):
        if (column := batch.columns.get(name)) is None:
            continue
        places = column.clock.of(car)
        width = len(column.members) if column.widths is None else int(column.widths[car])
        if places.stop > places.start:
            times = column.clock.times[places].view("datetime64[us]")
            panels[name] = Panel(times, column.values[places, :width], column.members[:width])
    return panels


def key_of(unit: Unit, code: str) -> str:
    """By which a unit's result is found again."""
    return hashlib.sha256(msgspec.json.encode(unit) + code.encode()).hexdigest()[:16]


def code_of() -> str:
    """A hash of all that a result rests on: after a change of it everything is judged anew."""
    digest = hashlib.sha256()
    for folder in JUDGED_BY:
        for path in sorted((CHECKOUT / folder).rglob("*")):
            if path.suffix in {".py", ".toml", ".yaml"}:
                digest.update(os.fsencode(path.relative_to(CHECKOUT)) + path.read_bytes())
    return digest.hexdigest()[:16]
