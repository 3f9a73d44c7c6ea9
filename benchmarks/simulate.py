"""How fast a fleet is simulated to memory, and what it takes, by the number of cars and days.

Every size has a process of its own, so that its memory is its own: ``python -m benchmarks.simulate CARS DAYS`` prints
one size's figures as JSON.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from benchmarks.machine import machine_facts
from benchmarks.process import ProcessError, peak_rss_mb
from config.settings import CHECKOUT
from simulator.fleet import build_fleet
from vsc.runtime.progress import Report

START: Final = date(2026, 9, 1)
SEED: Final = 1
STANDARD: Final = (96, 14)
"""Cars and days of the figure: two full turns of cars that are simulated together."""
SIZES: Final = ((10, 7), (10, 28), (100, 7), (100, 14), (100, 28), (1000, 7), (10_000, 1))
"""Cars and days of the table: what is linear and what is bounded shows between them."""


@dataclass(frozen=True, slots=True)
class Run:
    """One size, simulated once."""

    cars: int
    days: int
    cpu_s: float
    """User and system, building the fleet included; without Python's start."""
    samples: int
    values: int
    """Numbers in them, those of cell groups and modules one by one."""
    signals: int
    """Different ones."""
    rss_mb: float
    """The kernel's high-water mark."""

    @property
    def samples_per_core_s(self) -> float:
        """Samples by second of CPU."""
        return self.samples / self.cpu_s


def simulate(cars: int, days: int) -> Run:
    """Live a healthy fleet's days here, one after the other, and keep none."""
    begin = time.process_time()
    samples = values = 0
    signals: set[str] = set()
    fleet = build_fleet(cars, days, SEED, START, [])
    counting_s = 0.0
    for index in range(days):
        for _, day in fleet.day(index):
            paused = time.process_time()
            samples += len(day.times)
            values += sum(int(np.count_nonzero(~np.isnan(one))) for one in day.columns.values())
            signals |= day.columns.keys()
            counting_s += time.process_time() - paused
    cpu_s = time.process_time() - begin - counting_s
    return Run(cars, days, cpu_s, samples, values, len(signals), peak_rss_mb(os.getpid()))


def measure(rounds: int, sizes: Sequence[tuple[int, int]], report: Report) -> dict[str, Any]:
    """The figure's median of the rounds, and the table of sizes, by the names of ``--json``.

    Raises:
        ProcessError: if a process ends with an error.
    """
    standard = []
    for number in range(rounds):
        report(f"{STANDARD[0]} cars, {STANDARD[1]} days", number / rounds)
        standard.append(_apart(*STANDARD))
    table = []
    for number, (cars, days) in enumerate(sizes):
        report("Sizes", number / len(sizes))
        run = _apart(cars, days)
        table.append({**asdict(run), "samples_per_core_s": run.samples_per_core_s})
    each = {
        "samples_per_core_s": [run.samples_per_core_s for run in standard],
        "values_per_core_s": [run.values / run.cpu_s for run in standard],
    }
    return {
        **{name: statistics.median(values) for name, values in each.items()},
        "vehicles": STANDARD[0],
        "days": STANDARD[1],
        "signals": standard[0].signals,
        "rounds": rounds,
        "per_round": each,
        "sizes": table,
        "machine": machine_facts(),
    }


def _apart(cars: int, days: int) -> Run:
    command = [sys.executable, "-m", "benchmarks.simulate", str(cars), str(days)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.splitlines() or ["no word"])[-1]
        raise ProcessError(f"simulating {cars} cars ended with {done.returncode}: {last}")
    return Run(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(simulate(int(sys.argv[1]), int(sys.argv[2])))))  # noqa: T201 -- what the parent reads
