"""The engine: thresholds with hysteresis in event time, however the history is cut."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.panel import Panel, panel
from rules.detector import RuleBook, RuleDetector
from rules.engine.columns import batch_of, visit_of
from rules.engine.inhibition import withheld
from rules.engine.judge import judge
from rules.engine.memory import Memory, restore
from rules.rule import Rule
from tests.support.a_rule import a_rule, steps
from tests.support.windows import a_vehicle
from vehicle.finding import Finding
from vehicle.moment import instant

START = datetime(2026, 3, 1, tzinfo=UTC)
REST = "lv_rest_voltage"
GAP = "tyre_gap"


@pytest.fixture
def rule() -> Rule:
    """12.4 V and 12.0 V, for a day at two observations; ends after two days above 12.5 V."""
    return _below(REST)


def _below(name: str, threshold: float = 12.4, **fields: Any) -> Rule:
    unit = "V" if name == REST else "kPa"
    return a_rule(
        f"{name} <= {threshold} {unit}",
        f"{name} > 12.5 {unit}",
        **{
            "lasting": "1 d",
            "observations": 2,
            "keep_firing_for": "2 d",
            "schedule": "daily",
            "ladder": steps(f"{name} <= 12.0 {unit}"),
            **fields,
        },
    )


def _panel(values: list[float], days: list[float] | None = None, locations: tuple[str, ...] = ("",)) -> Panel:
    at = days if days is not None else [*map(float, range(len(values) // len(locations)))]
    times = instant(START) + (np.array(at) * 86400e6).astype("timedelta64[us]")
    return panel(times, np.array(values).reshape(len(at), len(locations)), locations)


def _found(rule: Rule, series: Panel, memory: Memory | None = None) -> list[Finding]:
    name = REST if len(series.locations) == 1 else GAP
    return judge(rule, batch_of([(a_vehicle(), {name: series})]), [memory or Memory()]).findings


def _told(rule: Rule, series: Panel) -> list[tuple[float, str, bool]]:
    return [
        ((one.observed_at - START) / timedelta(days=1), one.severity.name, one.cleared) for one in _found(rule, series)
    ]


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


WHEELS = ("fl", "fr", "rl", "rr")
WELL = 12.6


def test_one_finding_names_all_like_parts() -> None:
    rows = [[12.3, WELL, WELL, WELL], [12.3, 12.3, WELL, WELL], [12.3, 12.3, WELL, WELL]]
    found = _found(_below(GAP), _panel([value for row in rows for value in row], locations=WHEELS))
    assert [one.locations for one in found] == [("fl",), ("fl", "fr")]


def test_it_ends_when_the_last_part_is_well() -> None:
    rows = [[12.3, 12.3]] * 2 + [[WELL, 12.3]] * 4 + [[WELL, WELL]] * 3
    values = [value for row in rows for value in (*row, WELL, WELL)]
    found = _found(_below(GAP), _panel(values, locations=WHEELS))
    assert [(one.cleared, one.locations) for one in found] == [(False, ("fl", "fr")), (True, ())]


def test_a_rule_looks_upwards_too() -> None:
    hot = a_rule(
        "inlet_temp >= 78 degC",
        "inlet_temp < 58 degC",
        keep_firing_for="1 d",
        schedule="daily",
        ladder=steps("inlet_temp >= 90 degC"),
    )
    series = _panel([70.0, 80.0, 95.0, 60.0, 50.0, 50.0])
    found = judge(hot, batch_of([(a_vehicle(), {"inlet_temp": series})]), [Memory()]).findings
    assert [(one.severity.name, one.cleared) for one in found] == [
        ("WARNING", False),
        ("CRITICAL", False),
        ("WARNING", True),
    ]


def test_a_slope_is_judged_once_it_is_proven() -> None:
    falling = a_rule(
        "trend(lv_rest_voltage, 14 d) <= -1 V/d",
        "trend(lv_rest_voltage, 14 d) > -0.2 V/d",
        keep_firing_for="2 d",
        schedule="daily",
    )
    assert _told(falling, _panel([100.0 - 2.0 * day for day in range(6)])) == [(4.0, "WARNING", False)]
    assert _told(falling, _panel([100.0, 98.0, 96.0, 94.0])) == []
    assert _told(falling, _panel([100.0, 100.0, 100.0, 90.0, 100.0, 100.0, 100.0])) == []


def test_a_change_is_counted_from_the_first_observations() -> None:
    change = f"{REST} / baseline({REST}, 5) - 1"
    less = a_rule(f"{change} <= -20 %", f"{change} > -10 %", keep_firing_for="1 d", schedule="daily")
    found = _found(less, _panel([2.0, 2.1, 1.9, 2.0, 2.0, 1.9, 1.7, 1.5]))
    assert [(one.observed_at - START).days for one in found] == [7]
    assert found[0].evidence.threshold == pytest.approx(1.6)
    assert "-25 %, at or below -20 %" in found[0].evidence.summary
    assert _told(less, _panel([0.0] * 9)) == [], "there is no change from nothing"


def test_a_finding_carries_what_it_rests_on(rule: Rule) -> None:
    found = _found(rule, _panel([12.6, 12.3, 12.2]))[0]
    assert found.score == pytest.approx(3.0)
    assert found.evidence.threshold == 12.4
    assert found.evidence.traces[0].values.tolist() == [12.6, 12.3, 12.2]
    assert "12.2 V" in found.evidence.summary
    assert found.window_start == START
    assert found.window_start <= found.observed_at < found.window_end


def test_of_alternatives_it_says_a_threshold_only_if_that_is_reached() -> None:
    rule = a_rule(
        f"{REST} <= 11 V or {REST} <= 12.5 V and slope({REST}, 4 d) <= -0.1 V/d",
        f"{REST} > 12.6 V",
        schedule="daily",
    )
    falls, is_flat = (_found(rule, _panel(values))[0].evidence.summary for values in ([12.6, 12.4], [10.9]))
    assert falls == f"Something is wrong: {rule.when_text}."
    assert is_flat == "Something is wrong: low-voltage battery after equal rest is 10.9 V, at or below 11 V."


SERIES = st.lists(
    st.tuples(
        st.floats(0.01, 9.0),
        st.lists(st.one_of(st.sampled_from([11.8, 12.2, 12.45, 12.6]), st.just(float("nan"))), min_size=4, max_size=4),
    ),
    max_size=40,
)


def _wheels(series: list[tuple[float, list[float]]]) -> Panel:
    days = np.cumsum([step for step, _ in series]).tolist()
    return _panel([value for _, row in series for value in row], days, WHEELS)


def _key(found: Finding) -> tuple[object, ...]:
    return (found.observed_at, found.severity, found.cleared, found.locations, found.score, found.evidence.summary)


ANY_RULE = (
    _below(GAP),
    a_rule("trend(tyre_gap, 10 d) <= -0.05 kPa/d", "trend(tyre_gap, 10 d) > -0.01 kPa/d", schedule="daily"),
    a_rule("tyre_gap / baseline(tyre_gap, 3) - 1 < -1 %", "tyre_gap / baseline(tyre_gap, 3) - 1 > 0", schedule="daily"),
)


@pytest.mark.parametrize("rule", ANY_RULE, ids=["value", "trend", "change"])
@given(series=SERIES, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_however_history_is_cut_the_findings_are_the_same(
    rule: Rule, series: list[tuple[float, list[float]]], cuts: list[int]
) -> None:
    whole = _wheels(series)
    in_pieces: list[Finding] = []
    plain = None
    edges = sorted({0, *(min(cut, len(whole)) for cut in cuts), len(whole)})
    for first, last in pairwise(edges):
        memory = restore(json.loads(json.dumps(plain, allow_nan=False)), len(rule.ladder))
        piece = np.zeros(len(whole), dtype=bool)
        piece[first:last] = True
        in_pieces += _found(rule, whole.at(piece), memory)
        plain = memory.plain()
    assert [*map(_key, in_pieces)] == [*map(_key, _found(rule, whole))]


@given(SERIES)
def test_findings_alternate_between_worse_and_ended(series: list[tuple[float, list[float]]]) -> None:
    found = _found(_below(GAP), _wheels(series))
    for before, after in zip([None, *found], found, strict=False):
        if after.cleared:
            assert before is not None
            assert not before.cleared
        assert after.cleared or after.locations


@given(SERIES, st.sampled_from([12.3, 12.4, 12.45]))
def test_a_stricter_threshold_never_finds_later(series: list[tuple[float, list[float]]], lower: float) -> None:
    whole = _wheels(series)
    early, late = (_found(_below(GAP, threshold), whole) for threshold in (12.49, lower))
    if late:
        assert early
        assert early[0].observed_at <= late[0].observed_at


def test_a_rule_that_inhibits_another_keeps_it_quiet_until_it_ends() -> None:
    """The other is told then; danger is told at once."""
    loud = a_rule("inlet_temp > 80 degC", "inlet_temp < 70 degC", id="loud", schedule="daily")
    danger = [{"severity": "danger", "confidence": 0.9, "when": f"{REST} < 11 V"}]
    first = {"severity": "warning", "confidence": 0.8}
    hushed = replace(
        a_rule(f"{REST} < 12 V", f"{REST} > 12 V", schedule="daily", ladder=[first, *danger]), inhibited_by=("loud",)
    )
    panels = {
        "inlet_temp": _panel([90.0, 90.0, 60.0, 60.0, 90.0, 90.0]),
        REST: _panel([11.5, 11.5, 11.5, 12.5, 11.5, 10.0]),
    }
    at_once = RuleBook((hushed, loud)).evaluate(a_vehicle(), panels, {})[1]
    states: dict[str, Any] = {}
    by_day: list[Finding] = []
    for day in range(6):
        today = {name: one.at(np.arange(6) == day) for name, one in panels.items()}
        states, news = RuleBook((hushed, loud)).evaluate(a_vehicle(), today, states)
        by_day += news
        assert withheld((hushed, loud), states) == ({"made_up": ("loud",)} if day in {0, 1, 4} else {})
    for found in (at_once, by_day):
        told = [one for one in found if one.detector == "made_up"]
        assert [((one.observed_at - START).days, one.severity.name, one.cleared) for one in told] == [
            (2, "WARNING", False),
            (3, "WARNING", True),
            (5, "DANGER", False),
        ]


def test_what_is_latched_ends_when_a_workshop_has_seen_to_it() -> None:
    """At the first sample after it, in one run or in several; and it may begin again."""
    latched = a_rule(f"{REST} < 12 V", f"{REST} > 12 V", schedule="daily", latching="workshop")
    series = _panel([11.5, 12.5, 12.5, 12.5, 12.5, 11.5])
    visit = _panel([1.0], [2.4])
    once = RuleDetector(latched).evaluate(a_vehicle(), {REST: series, "workshop": visit}, None)[1]
    state, in_pieces = None, []
    for day in range(6):
        today = {REST: series.at(np.arange(6) == day)} | ({"workshop": visit} if day == 2 else {})
        state, news = RuleDetector(latched).evaluate(a_vehicle(), today, state)
        in_pieces += news
    for found in (once, in_pieces):
        assert [((one.observed_at - START).days, one.cleared) for one in found] == [(0, False), (3, True), (5, False)]


@pytest.mark.parametrize(("component", "ends"), [("low_voltage_battery", True), ("tyre", False)])
def test_a_workshop_that_has_seen_to_one_component_ends_what_is_latched_there(component: str, *, ends: bool) -> None:
    """Though it is told again at every run, and the rule hears nothing on the day on which the car is given back."""
    latched = a_rule(f"{REST} < 12 V", f"{REST} > 12 V", schedule="daily", latching="workshop")
    days = [0.0, 1.0, 4.0, 5.0]
    series, visit = _panel([11.5, 12.5, 12.5, 11.5], days), {visit_of(component): _panel([1.0], [2.4])}
    state, found = None, []
    for day in range(6):
        today = {REST: series.at(np.isin(days, day))} | (visit if day >= 2 else {})
        state, news = RuleDetector(latched).evaluate(a_vehicle(), today, state)
        found += news
    told = [((one.observed_at - START).days, one.cleared) for one in found]
    assert told == ([(0, False), (4, True), (5, False)] if ends else [(0, False)])


def test_a_signal_without_a_sample_in_these_days_leaves_the_car_doing_what_is_unknown() -> None:
    parked = RuleDetector(a_rule("cabin_temp_c > 40 degC and parked", "cabin_temp_c < 30 degC"))
    day = timedelta(days=1)

    def told(start: datetime, *names: str) -> dict[str, Panel]:
        sampled = panel([instant(start)], [0.0])
        nothing = panel([], [])
        return {name: sampled if name in names else nothing for name in ("speed_kmh", "charge_state", "hv_current_a")}

    hot = panel([instant(START + day)], [45.0])
    state, _ = parked.evaluate(a_vehicle(), told(START, "speed_kmh", "charge_state") | {"cabin_temp_c": hot}, None)
    later = panel([instant(START + 2 * day)], [45.0])
    _, findings = parked.evaluate(a_vehicle(), told(START + 2 * day) | {"cabin_temp_c": later}, state)
    assert findings == []
