"""Weak cell groups over days."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.cell_peers import CellPeers
from features.panel import Panel
from vehicle.finding import Finding, Severity
from vehicle.moment import instant
from vehicle.vehicle import VehicleRecord

START = datetime(2026, 3, 1, 22, tzinfo=UTC)
CAR = VehicleRecord("car", START)
CELLS = 40


def _days(rows: np.ndarray, days: np.ndarray | None = None) -> Panel:
    at = np.arange(len(rows), dtype=float) if days is None else days
    times = instant(START) + (at * 86400e6).astype("timedelta64[us]")
    return Panel(times, rows, tuple(f"V_{number + 1}" for number in range(rows.shape[1])))


def _pack(days: int, **behind: float) -> np.ndarray:
    rows = np.random.default_rng(5).normal(0.0, 2.0, (days, CELLS))
    for name, millivolts in behind.items():
        rows[:, int(name.removeprefix("V_")) - 1] = -millivolts
    return rows


def _found(rows: np.ndarray, days: np.ndarray | None = None) -> list[Finding]:
    return CellPeers().evaluate(CAR, {"cell_deviation": _days(rows, days)}, None)[1]


def test_weak_groups_are_named_together_in_the_order_of_their_numbers() -> None:
    (finding,) = _found(_pack(10, V_21=28.0, V_3=26.0))
    assert finding.locations == ("V_3", "V_21")
    assert finding.observed_at == START + timedelta(days=1)
    assert finding.severity is Severity.WARNING
    assert [trace.label for trace in finding.evidence.traces[:2]] == ["V_3", "V_21"]
    assert "V_21 -28 mV" in finding.evidence.summary


def test_one_day_is_not_enough() -> None:
    rows = _pack(10)
    rows[4, 7] = -60.0
    assert _found(rows) == []
    assert _found(_pack(1, V_3=60.0)) == []


def test_two_looks_at_one_midnight_are_one_day() -> None:
    assert _found(_pack(2, V_3=60.0), np.array([0.0, 0.01])) == []


def test_days_far_apart_do_not_confirm_each_other() -> None:
    assert _found(_pack(2, V_3=60.0), np.array([0.0, 9.0])) == []


def test_a_day_that_says_nothing_changes_nothing() -> None:
    rows = _pack(10, V_3=40.0)
    rows[1:5, 2] = np.nan
    (finding,) = _found(rows)
    assert finding.observed_at == START + timedelta(days=5)


def test_a_group_that_gets_worse_is_told_again_and_only_then() -> None:
    rows = _pack(10, V_3=26.0)
    rows[5:, 2] = -50.0
    assert [finding.severity for finding in _found(rows)] == [Severity.WARNING, Severity.CRITICAL]


def test_a_second_weak_group_is_told_with_the_first() -> None:
    rows = _pack(10, V_3=40.0)
    rows[6:, 9] = -40.0
    assert [finding.locations for finding in _found(rows)] == [("V_3",), ("V_3", "V_10")]


def test_two_good_days_do_not_clear_it_but_a_repair_does() -> None:
    rows = _pack(20, V_3=40.0)
    rows[4:6, 2] = -5.0
    rows[12:, 2] = 0.0
    fired, cleared = _found(rows)
    assert not fired.cleared
    assert cleared.cleared
    assert cleared.observed_at == START + timedelta(days=16)


def test_a_steady_drift_has_a_remaining_life() -> None:
    rows = _pack(10)
    rows[:, 2] = -8.0 * np.arange(10)
    finding = _found(rows)[0]
    assert finding.remaining_useful_life is not None
    last = finding.evidence.traces[0].values[-1]
    assert abs(finding.remaining_useful_life.expected_days - (100.0 + last) / 8.0) < 1.0


def test_a_steady_weakness_has_none() -> None:
    rows = _pack(10)
    rows[6:, 2] = -40.0
    assert _found(_pack(10, V_3=40.0))[0].remaining_useful_life is None


def test_another_pack_in_the_car_starts_anew() -> None:
    detector = CellPeers()
    state, _ = detector.evaluate(CAR, {"cell_deviation": _days(_pack(5, V_3=40.0))}, None)
    larger = np.random.default_rng(6).normal(0.0, 2.0, (1, 60))
    state, found = detector.evaluate(CAR, {"cell_deviation": _days(larger, np.array([6.0]))}, state)
    assert found == []
    assert state["cell_count"] == 60


@given(st.lists(st.integers(0, 15), max_size=4), st.integers(0, 12), st.floats(15.0, 60.0), st.integers(1, 9))
def test_however_history_is_cut_the_findings_are_the_same(
    cuts: list[int], onset: int, behind: float, ends: int
) -> None:
    rows = _pack(15)
    rows[onset : onset + ends, 4] = -behind
    rows[onset // 2 :, 11] -= np.linspace(0, behind, 15 - onset // 2)
    whole = _days(rows)
    at_once = CellPeers().evaluate(CAR, {"cell_deviation": whole}, None)[1]
    state, in_pieces = None, []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), 15], strict=True):
        piece = (np.arange(15) >= first) & (np.arange(15) < last)
        state, found = CellPeers().evaluate(
            CAR, {"cell_deviation": whole.at(piece)}, json.loads(json.dumps(state, allow_nan=False))
        )
        in_pieces += found
    assert [(one.observed_at, one.locations, one.cleared, one.score, one.evidence.summary) for one in in_pieces] == [
        (one.observed_at, one.locations, one.cleared, one.score, one.evidence.summary) for one in at_once
    ]


def test_groups_that_are_not_known_are_left_alone() -> None:
    rows = _pack(12, V_3=40.0)
    rows[:, 6] = np.nan
    rows[4] = np.nan
    rows[4, :5] = -50.0
    rows[:3, 11] = np.nan
    assert [finding.locations for finding in _found(rows)] == [("V_3",)]
