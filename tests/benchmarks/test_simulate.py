"""The simulator's measurement on a tiny scale: what it counts is true; its speed means nothing here."""

import pytest

from benchmarks import simulate
from benchmarks.process import ProcessError
from benchmarks.scorecard import rows_of
from simulator.fleet import build_fleet
from vsc.runtime.progress import silent


def test_a_size_counts_what_the_fleet_samples() -> None:
    fleet = build_fleet(3, 2, simulate.SEED, simulate.START, [])
    days = [day for index in range(2) for _, day in fleet.day(index)]
    run = simulate.simulate(3, 2)
    assert run.samples == sum(len(day.times) for day in days)
    assert run.signals == len({name for day in days for name in day.columns})
    assert run.values > 20 * run.samples
    assert run.cpu_s > 0.0
    assert run.rss_mb > 10.0


def test_the_figures_come_from_processes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "STANDARD", (2, 1))
    figures = simulate.measure(1, ((1, 2),), silent)
    assert figures["per_round"]["samples_per_core_s"] == [figures["samples_per_core_s"]]
    assert [(row["cars"], row["days"]) for row in figures["sizes"]] == [(1, 2)]
    assert {row["figure"] for row in rows_of(figures)} == {"samples_per_core_s", "values_per_core_s"}
    with pytest.raises(ProcessError, match="ended with 1"):
        simulate.measure(1, ((0, 1),), silent)
