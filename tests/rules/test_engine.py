"""The engine: thresholds with hysteresis in event time, however the history is cut."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.panel import Panel, panel
from rules.engine import judge
from rules.loader import load_rules
from rules.state import RuleState, restore
from rules.threshold_rule import Direction, Enter, Exit, Measure, Rule, Rung
from vehicle.finding import Finding, Severity
from vehicle.moment import instant

START = datetime(2026, 3, 1, tzinfo=UTC)
"""Thresholds of the rule under test: 12.4 and 12.0 V, ends above 12.5 V."""


def _panel(values: list[float], days: list[float] | None = None, locations: tuple[str, ...] = ("",)) -> Panel:
    at = days if days is not None else [*map(float, range(len(values) // len(locations)))]
    times = instant(START) + (np.array(at) * 86400e6).astype("timedelta64[us]")
    return panel(times, np.array(values).reshape(len(at), len(locations)), locations)


def _told(rule: Rule, series: Panel) -> list[tuple[float, str, bool]]:
    found = judge(rule, "car", RuleState(), series)
    return [((one.observed_at - START) / timedelta(days=1), one.severity.name, one.cleared) for one in found]


def test_it_fires_when_the_condition_has_lasted(rule: Rule) -> None:
    assert _told(rule, _panel([12.6, 12.3, 12.3, 12.3])) == [(2.0, "WARNING", False)]


def test_one_observation_is_not_enough(rule: Rule) -> None:
    assert _told(rule, _panel([12.6, 12.3, 12.6, 12.3, 12.6])) == []


def test_many_observations_in_a_short_time_are_not_enough(rule: Rule) -> None:
    assert _told(rule, _panel([12.3] * 5, [0.0, 0.1, 0.2, 0.3, 0.9])) == []


def test_the_threshold_itself_is_abnormal(rule: Rule) -> None:
    assert len(_told(rule, _panel([12.4, 12.4]))) == 1


def test_it_ends_after_the_hold_and_only_beyond_the_exit_threshold(rule: Rule) -> None:
    values = [12.3, 12.3, 12.45, 12.45, 12.45, 12.6, 12.6, 12.6]
    assert _told(rule, _panel(values)) == [(1.0, "WARNING", False), (7.0, "WARNING", True)]


def test_a_relapse_starts_the_hold_anew(rule: Rule) -> None:
    values = [12.3, 12.3, 12.6, 12.6, 12.45, 12.6, 12.6]
    assert [told[2] for told in _told(rule, _panel(values))] == [False]


def test_it_climbs_the_ladder_and_tells_once(rule: Rule) -> None:
    values = [12.3, 12.3, 12.3, 11.9, 12.3, 11.9, 11.9, 11.9]
    assert _told(rule, _panel(values)) == [(1.0, "WARNING", False), (6.0, "CRITICAL", False)]


def test_it_may_start_high_on_the_ladder(rule: Rule) -> None:
    assert _told(rule, _panel([11.0, 11.0])) == [(1.0, "CRITICAL", False)]


def test_silence_neither_fires_nor_clears(rule: Rule) -> None:
    nan = float("nan")
    assert _told(rule, _panel([12.3, nan, nan, nan])) == []
    assert _told(rule, _panel([12.3, 12.3, nan, nan, nan, nan])) == [(1.0, "WARNING", False)]


def test_a_long_silence_breaks_a_streak(rule: Rule) -> None:
    assert _told(rule, _panel([12.3, 12.3], [0.0, 8.0])) == []
    assert _told(rule, _panel([12.3, 12.3], [0.0, 7.0])) == [(7.0, "WARNING", False)]


def test_a_long_silence_does_not_count_as_well(rule: Rule) -> None:
    assert _told(rule, _panel([12.3, 12.3, 12.6, 12.6, 12.6, 12.6], [0, 1, 2, 20, 21, 22])) == [
        (1.0, "WARNING", False),
        (22.0, "WARNING", True),
    ]


def test_one_finding_names_all_like_parts(rule: Rule) -> None:
    series = _panel([12.3, 12.6, 12.3, 12.3, 12.3, 12.3], locations=("fl", "fr"))
    found = judge(rule, "car", RuleState(), series)
    assert [one.locations for one in found] == [("fl",), ("fl", "fr")]


def test_it_ends_when_the_last_part_is_well(rule: Rule) -> None:
    bad, well = [12.3, 12.3], [12.6, 12.3]
    series = _panel([*bad, *bad, *(well * 4), *([12.6, 12.6] * 3)], locations=("fl", "fr"))
    assert [one.cleared for one in judge(rule, "car", RuleState(), series)] == [False, True]


def test_a_rule_looks_upwards_too(rule: Rule) -> None:
    hot = replace(
        rule,
        direction=Direction.ABOVE,
        enter=Enter(78.0, timedelta(), 1),
        exit=Exit(58.0, timedelta(days=1)),
        ladder=(Rung(78.0, Severity.CRITICAL, 0.9), Rung(90.0, Severity.DANGER, 0.99)),
    )
    values = [70.0, 80.0, 95.0, 60.0, 50.0, 50.0]
    assert [told[1:] for told in _told(hot, _panel(values))] == [
        ("CRITICAL", False),
        ("DANGER", False),
        ("CRITICAL", True),
    ]


def test_a_slope_is_judged_once_it_is_proven(rule: Rule) -> None:
    falling = replace(
        rule,
        measure=Measure.SLOPE,
        enter=Enter(-1.0, timedelta(), 1),
        exit=Exit(-0.2, timedelta(days=2)),
        ladder=(Rung(-1.0, Severity.WARNING, 0.8),),
    )
    assert _told(falling, _panel([100.0 - 2.0 * day for day in range(6)])) == [(4.0, "WARNING", False)]
    assert _told(falling, _panel([100.0, 98.0, 96.0, 94.0])) == []
    assert _told(falling, _panel([100.0, 100.0, 100.0, 90.0, 100.0, 100.0, 100.0])) == []


def test_a_change_is_counted_from_the_first_observations(rule: Rule) -> None:
    less = replace(
        rule,
        measure=Measure.CHANGE,
        enter=Enter(-20.0, timedelta(), 1),
        exit=Exit(-10.0, timedelta(days=1)),
        ladder=(Rung(-20.0, Severity.WARNING, 0.8),),
    )
    assert _told(less, _panel([2.0, 2.1, 1.9, 2.0, 2.0, 1.9, 1.7, 1.5])) == [(7.0, "WARNING", False)]
    assert _told(less, _panel([0.0] * 9)) == [], "there is no change from nothing"


def test_a_finding_carries_what_it_rests_on(rule: Rule) -> None:
    found = judge(rule, "car", RuleState(), _panel([12.6, 12.3, 12.2]))[0]
    assert found.score == pytest.approx(3.0)
    assert found.evidence.threshold == 12.4
    assert found.evidence.traces[0].values.tolist() == [12.6, 12.3, 12.2]
    assert "12.2 V" in found.evidence.summary
    assert found.window_start == START
    assert found.window_start <= found.observed_at < found.window_end


SERIES = st.lists(
    st.tuples(
        st.floats(0.01, 9.0),
        st.lists(st.one_of(st.sampled_from([11.8, 12.2, 12.45, 12.6]), st.just(float("nan"))), min_size=2, max_size=2),
    ),
    max_size=40,
)


def _key(found: Finding) -> tuple[object, ...]:
    return (found.observed_at, found.severity, found.cleared, found.locations, found.score, found.evidence.summary)


@given(SERIES, st.lists(st.integers(0, 40), max_size=6), st.sampled_from(Measure))
def test_however_history_is_cut_the_findings_are_the_same(
    series: list[tuple[float, list[float]]], cuts: list[int], measure: Measure
) -> None:
    rule = _any_rule(measure)
    days = np.cumsum([step for step, _ in series]).tolist()
    values = [value for _, row in series for value in row]
    whole = _panel(values, days, ("fl", "fr"))
    at_once = judge(rule, "car", RuleState(), whole)
    in_pieces: list[Finding] = []
    plain = None
    edges = sorted({0, *(min(cut, len(whole)) for cut in cuts), len(whole)})
    for first, last in pairwise(edges):
        state = restore(json.loads(json.dumps(plain)))
        piece = np.zeros(len(whole), dtype=bool)
        piece[first:last] = True
        in_pieces += judge(rule, "car", state, whole.at(piece))
        plain = state.plain()
    assert [*map(_key, in_pieces)] == [*map(_key, at_once)]


@given(SERIES)
def test_findings_alternate_between_worse_and_ended(series: list[tuple[float, list[float]]]) -> None:
    days = np.cumsum([step for step, _ in series]).tolist()
    found = judge(
        _any_rule(Measure.VALUE), "car", RuleState(), _panel([v for _, r in series for v in r], days, ("a", "b"))
    )
    for before, after in zip([None, *found], found, strict=False):
        if after.cleared:
            assert before is not None
            assert not before.cleared
        assert after.cleared or after.locations


@given(SERIES, st.sampled_from([12.3, 12.4, 12.5]))
def test_a_stricter_threshold_never_finds_later(series: list[tuple[float, list[float]]], lower: float) -> None:
    days = np.cumsum([step for step, _ in series]).tolist()
    whole = _panel([value for _, row in series for value in row], days, ("a", "b"))
    strict, lax = _any_rule(Measure.VALUE, 12.5), _any_rule(Measure.VALUE, lower)
    early, late = (judge(one, "car", RuleState(), whole) for one in (strict, lax))
    if late:
        assert early
        assert early[0].observed_at <= late[0].observed_at


def _any_rule(measure: Measure, threshold: float = 12.4) -> Rule:
    shipped = next(rule for rule in load_rules() if rule.rule_id == "lv_rest_low_lead_acid")
    if measure is Measure.VALUE:
        enter, leave, worse = threshold, 12.55, 12.0
    else:
        enter, leave, worse = -0.5, -0.1, -2.0
    return replace(
        shipped,
        measure=measure,
        over=timedelta(days=10),
        enter=Enter(enter, timedelta(hours=12), 2),
        exit=Exit(leave, timedelta(days=2)),
        ladder=(Rung(enter, Severity.WARNING, 0.8), Rung(worse, Severity.CRITICAL, 0.9)),
    )
