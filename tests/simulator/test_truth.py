"""The truth file."""

from datetime import date
from pathlib import Path

import pytest

from simulator.fleet import build_fleet
from simulator.truth import TruthError, read_truth, write_truth


def test_read_truth_gives_back_what_was_written(tmp_path: Path) -> None:
    truth = build_fleet(8, 10, 3, date(2026, 9, 1)).truth
    write_truth(tmp_path / "truth.jsonl", truth)
    assert read_truth(tmp_path / "truth.jsonl") == truth
    assert len(truth.faults) == 6


def test_read_truth_names_the_line_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    write_truth(path, build_fleet(2, 2, 3, date(2026, 9, 1)).truth)
    path.write_bytes(path.read_bytes() + b'{"kind": "fault"}\n')
    lines = len(path.read_bytes().splitlines())
    with pytest.raises(TruthError, match=f"line {lines}"):
        read_truth(path)
