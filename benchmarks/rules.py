"""How fast the whole catalogue judges a stored fleet, and how five of its rules compare with plain pandas.

``python -m benchmarks.rules FOLDER all|five|pandas`` judges a history in a process of its own, so that its memory is
its own, and prints the figures as JSON.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.machine import machine_facts
from benchmarks.pandas_rules import PLAIN_RULES, judge_plainly
from benchmarks.process import ProcessError, peak_rss_mb
from config.settings import CHECKOUT
from flows.backtest import backtest
from flows.history import History
from flows.parquet_history import open_folder
from rules.loader import load_rules
from simulator.fleet import build_fleet
from simulator.parquet import write_fleet
from vsc.runtime.progress import Report

START: Final = date(2026, 9, 1)
SEED: Final = 7
CARS: Final = 1000
DAYS: Final = 4
"""In which a thousand cars send more than a million samples."""
INCIDENCE: Final = 20.0
"""So many times as many faults as in real fleets, so that there is something to find."""


@dataclass(frozen=True, slots=True)
class Run:
    """One way of judging a history."""

    seconds: float
    """From opening the files to the last finding, of a wall clock; without Python's start."""
    cpu_s: float
    samples: int
    rules: int
    fires: int
    rss_mb_max: float
    """The kernel's high-water mark."""
    beginnings: list[tuple[str, str, str]]
    """Rule, car and time of each fire, to be compared."""


def judge(folder: Path, which: str) -> Run:
    """Judge a history with all rules, with the five, or with pandas' five."""
    begin, cpu = time.perf_counter(), time.process_time()
    if which == "pandas":
        beginnings = [(rule_id, vehicle_id, at.isoformat()) for rule_id, vehicle_id, at in judge_plainly(folder)]
        samples, rules = 0, len(PLAIN_RULES)
    else:
        loaded = [rule for rule in load_rules() if which == "all" or rule.rule_id in PLAIN_RULES]
        found = backtest(History.of(open_folder(folder)), loaded, lambda _: None)
        beginnings = [(fire.rule_id, fire.vehicle_id, fire.started_at.isoformat()) for fire in found.fires]
        samples, rules = found.samples, len(loaded)
    return Run(
        seconds=time.perf_counter() - begin,
        cpu_s=time.process_time() - cpu,
        samples=samples,
        rules=rules,
        fires=len(beginnings),
        rss_mb_max=peak_rss_mb(os.getpid()),
        beginnings=sorted(beginnings),
    )


def measure(cars: int, days: int, report: Report) -> dict[str, Any]:
    """The figures by the names of ``--json``: of the whole fleet, of half of it, and of five rules in two ways.

    Raises:
        ProcessError: if a process ends with an error.
    """
    with TemporaryDirectory() as temporary:
        folders = {}
        for number in (cars, cars // 2):
            folders[number] = Path(temporary, str(number))
            fleet = build_fleet(number, days, SEED, START, None, incidence=INCIDENCE)
            write_fleet(folders[number], fleet, lambda share: report("Fleet", share))
        report("Rules", 0.0)
        whole, half = (_apart(folders[number], "all") for number in (cars, cars // 2))
        five, plain = (_apart(folders[cars], which) for which in ("five", "pandas"))
    return {
        "seconds": whole.seconds,
        "seconds_per_million": whole.seconds / whole.samples * 1e6,
        "cpu_s": whole.cpu_s,
        "samples": whole.samples,
        "rules": whole.rules,
        "fires": whole.fires,
        "rss_mb_max": whole.rss_mb_max,
        "vehicles": cars,
        "days": days,
        "half": {"seconds": half.seconds, "samples": half.samples, "rss_mb_max": half.rss_mb_max},
        "five_rules_s": five.seconds,
        "pandas_s": plain.seconds,
        "pandas_ratio": plain.seconds / five.seconds,
        "pandas_rss_mb_max": plain.rss_mb_max,
        "same_fires": five.beginnings == plain.beginnings,
        "machine": machine_facts(),
    }


def _apart(folder: Path, which: str) -> Run:
    command = [sys.executable, "-m", "benchmarks.rules", str(folder), which]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProcessError(f"judging ended with {done.returncode}: {(done.stderr.splitlines() or ['no word'])[-1]}")
    return Run(**{**(told := json.loads(done.stdout)), "beginnings": [tuple(one) for one in told["beginnings"]]})


if __name__ == "__main__":
    print(json.dumps(asdict(judge(Path(sys.argv[1]), sys.argv[2]))))  # noqa: T201 -- what the parent reads
