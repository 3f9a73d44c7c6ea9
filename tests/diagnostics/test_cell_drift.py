"""Cell groups that leave their places in a pack within days."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.cell_drift import DRIFT_MV, CellDrift
from features.panel import Panel
from vehicle.finding import Finding, Severity
from vehicle.moment import instant
from vehicle.vehicle import VehicleRecord

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
CAR = VehicleRecord("car", START)
CELLS = 40
PATTERN = np.random.default_rng(5).normal(0.0, 20.0, CELLS)
"""An old pack's groups are this far apart by nature."""


def _hours(rows: np.ndarray, at_h: np.ndarray | None = None) -> Panel:
    at = np.arange(len(rows), dtype=float) if at_h is None else at_h
    times = instant(START) + (at * 3600e6).astype("timedelta64[us]")
    return Panel(times, rows, tuple(f"V_{number + 1}" for number in range(rows.shape[1])))


def _pack(hours: int, seed: int = 0, stretch: np.ndarray | float = 1.0) -> np.ndarray:
    stretched = np.broadcast_to(stretch, hours)[:, None] * PATTERN
    return stretched + np.random.default_rng(seed).normal(0.0, 1.0, (hours, CELLS))


def _found(rows: np.ndarray, at_h: np.ndarray | None = None) -> list[Finding]:
    return CellDrift().evaluate(CAR, {"cell_deviation_hour": _hours(rows, at_h)}, None)[1]


def test_a_loss_of_fifteen_millivolts_is_found_after_three_hours_in_a_pack_that_scatters_by_twenty() -> None:
    rows = _pack(20)
    rows[8:, 6] -= 15.0
    (finding,) = _found(rows)
    assert finding.locations == ("V_7",)
    assert finding.observed_at == START + timedelta(hours=10)
    assert finding.severity is Severity.WARNING
    assert finding.score > 1
    assert "V_7 -1" in finding.evidence.summary
    assert finding.evidence.traces[0].label == "V_7"


def test_two_groups_are_named_together_and_a_second_one_is_news() -> None:
    rows = _pack(20)
    rows[8:, 20] -= 15.0
    rows[12:, 2] -= 18.0
    first, second = _found(rows)
    assert first.locations == ("V_21",)
    assert second.locations == ("V_3", "V_21")


def test_the_pattern_may_be_stretched_and_squeezed_as_the_charge_changes() -> None:
    assert _found(_pack(60, stretch=np.linspace(0.4, 1.6, 60))) == []


def test_one_odd_hour_or_two_say_nothing() -> None:
    rows = _pack(30)
    rows[8:10, 6] -= 60.0
    rows[12:14, 6] -= 60.0
    assert _found(rows) == []


def test_what_scatters_more_must_drift_further() -> None:
    rows = PATTERN + np.random.default_rng(1).normal(0.0, 5.0, (30, CELLS))
    rows[8:, 6] -= 12.0
    assert _found(rows) == []


def test_a_slow_change_of_the_pattern_is_followed() -> None:
    """Balancing and ageing: a millivolt a day."""
    rows = _pack(40 * 8)
    at = np.concatenate([day * 24.0 + np.arange(8.0) for day in range(40)])
    rows[:, 6] -= at / 24.0
    assert _found(rows, at) == []


def test_it_ends_when_the_group_is_back_for_a_day() -> None:
    rows = _pack(60)
    rows[8:20, 6] -= 25.0
    first, last = _found(rows)
    assert (first.cleared, last.cleared) == (False, True)
    assert last.locations == ("V_7",)
    assert last.observed_at == START + timedelta(hours=43)


def test_after_a_long_silence_the_pack_is_learned_anew_and_what_was_found_ends() -> None:
    rows = _pack(30)
    rows[8:, 6] -= 25.0
    at = np.concatenate([np.arange(20.0), 400.0 + np.arange(10.0)])
    first, last = _found(rows, at)
    assert (first.cleared, last.cleared) == (False, True)


def test_unknown_hours_and_groups_change_nothing() -> None:
    rows = _pack(24)
    rows[8:, 6] -= 20.0
    rows[9] = np.nan
    rows[:, 30] = np.nan
    rows[11, 6] = np.nan
    (finding,) = _found(rows)
    assert finding.locations == ("V_7",)


def test_another_pack_is_learned_anew() -> None:
    first, second = _hours(_pack(10)), _hours(_pack(10)[:, :30] * -3.0, 20.0 + np.arange(10.0))
    state, found = CellDrift().evaluate(CAR, {"cell_deviation_hour": first}, None)
    state, news = CellDrift().evaluate(CAR, {"cell_deviation_hour": second}, state)
    assert found + news == []


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(-40.0, 5.0), st.integers(5, 40), st.integers(1, 30))
def test_however_the_hours_are_cut_into_runs_the_findings_are_the_same(
    seed: int, drift: float, since: int, cut: int
) -> None:
    rows = _pack(60, seed)
    rows[since:, 3] += drift
    whole = _found(rows)
    state, parts = None, []
    for first in range(0, 60, cut):
        panel = _hours(rows[first : first + cut], np.arange(first, min(first + cut, 60), dtype=float))
        state, news = CellDrift().evaluate(CAR, {"cell_deviation_hour": panel}, json.loads(json.dumps(state)))
        parts += news
    assert [(one.observed_at, one.locations, one.cleared, one.score) for one in parts] == [
        (one.observed_at, one.locations, one.cleared, one.score) for one in whole
    ]
    if drift > -DRIFT_MV / 2:
        assert whole == []
