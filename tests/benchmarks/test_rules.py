"""The rules' measurement on a tiny scale: both ways find the same; the speed means nothing here."""

from datetime import date
from pathlib import Path

from benchmarks.rules import judge
from simulator.faults import FaultOrder
from simulator.fleet import build_fleet
from simulator.parquet import write_fleet
from vehicle.failure import FailureMode


def test_the_engine_and_pandas_find_the_same(tmp_path: Path) -> None:
    faults = [
        FaultOrder(FailureMode.DCDC_SUPPORT_LOSS, "car-0001", -20.0),
        FaultOrder(FailureMode.COOLANT_LEAK, "car-0002", -20.0),
    ]
    write_fleet(tmp_path / "fleet", build_fleet(3, 4, 11, date(2026, 3, 1), faults), lambda _: None)
    five, plain = (judge(tmp_path / "fleet", which) for which in ("five", "pandas"))
    assert five.beginnings == plain.beginnings
    assert five.fires > 0
    assert five.samples > 100
    assert five.rss_mb_max > 10.0
