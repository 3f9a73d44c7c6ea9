"""What rules are worth: by event time in the final view, by when it was known in the other."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.backtest import Backtest, Fire, episodes
from rules.loader import load_rules
from simulator.truth import ConfounderTruth, FaultTruth, Truth
from tests.support.a_visit import a_finding
from tests.support.windows import a_vehicle
from vsc.hindsight.appraisal import Appraisal, appraise
from vsc.hindsight.page import fire_page
from vsc.hindsight.score import score
from vsc.hindsight.shifts import USUAL
from vsc.hindsight.truth import TruthReference

START = datetime(2026, 3, 1, tzinfo=UTC)
RULE = next(rule for rule in load_rules() if rule.rule_id == "tyre_slow_leak")
VEHICLES = {name: a_vehicle(vehicle_id=name) for name in ("leaks", "late", "odd")}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def a_fault(vehicle: str, shows: float | None, fails: float | None = None) -> FaultTruth:
    visible, failed = (None if at is None else day(at) for at in (shows, fails))
    return FaultTruth(vehicle, "tyre", "tyre_slow_leak", day(2), visible, failed)


def a_fire(vehicle: str, start: float, known: float | None = None, *, taken_back: bool = False) -> Fire:
    seen = None if known is None else day(known)
    return Fire("tyre_slow_leak", vehicle, day(start), None, "warning", (), "It leaks.", seen, taken_back)


TRUTH = Truth(
    (a_fault("leaks", 4, fails=20), a_fault("late", 25, fails=29), a_fault("elsewhere", 3)),
    (ConfounderTruth("odd", "seasonal_tyres", day(8), day(9)),),
)


def appraised(*fires: Fire, span: tuple[float, float] = (0, 30)) -> Appraisal:
    history = (day(span[0]), day(span[1]))
    found = Backtest(fires, samples=100, vehicle_days=90, span=history)
    return appraise((RULE,), found, VEHICLES, TruthReference(TRUTH, VEHICLES, history), USUAL)


def test_fires_are_held_against_the_faults_of_the_cars_at_hand() -> None:
    (worth,) = appraised(a_fire("leaks", 5), a_fire("leaks", 1), a_fire("odd", 10)).scores
    assert (worth.fires, worth.true_fires, worth.precision, worth.on_confounders) == (3, 1, 0.3333, 1)
    assert (worth.faults, worth.recall, worth.lead_days) == (2, 0.5, 15)
    assert (worth.delay_hours, worth.taken_back) == (None, None)


def test_a_fault_that_shows_after_the_history_is_not_asked_for() -> None:
    (worth,) = appraised(a_fire("leaks", 5), span=(0, 20)).scores
    assert (worth.faults, worth.recall) == (1, 1)


def test_as_known_then_time_counts_from_when_it_was_known() -> None:
    fires = (a_fire("leaks", 5, 8), a_fire("odd", 10, 11, taken_back=True), a_fire("odd", 29.9, 33))
    whole = appraised(*fires)
    (worth,) = whole.scores
    assert worth.lead_days == 12
    assert (worth.delay_hours, worth.taken_back) == (72, 1)
    assert (worth.per_shift.shifts, worth.per_shift.max) == (3 * 33 + 1, 1)
    assert whole.whole.per_shift.mean == pytest.approx(3 / 100)
    page = fire_page({"after": whole}, 3, USUAL, "somewhere")
    assert [mark.at for mark in page.rows[0].series[0].marks] == [day(8), day(11), day(33)]
    assert [mark.kind for mark in page.rows[0].series[0].marks] == ["right", "wrong", "wrong"]
    assert page.axis.end > day(33)


def test_a_version_without_the_rule_has_an_empty_series() -> None:
    both = {"before": appraise((), Backtest((), 0, 90, (day(0), day(30))), VEHICLES, None, USUAL)}
    page = fire_page({**both, "after": appraised(a_fire("leaks", 5))}, 3, USUAL, "somewhere")
    assert [(one.label, len(one.marks)) for one in page.rows[0].series] == [("before", 0), ("after", 1)]


def test_nothing_is_said_where_nobody_knows() -> None:
    worth = score(RULE, Backtest((a_fire("odd", 3),), 0, 90, (day(0), day(30))), VEHICLES, None)
    assert (worth.fires, worth.true_fires, worth.precision, worth.without_verdict) == (1, None, None, None)


def test_an_end_that_is_told_anew_is_no_fire() -> None:
    begin, end, again = (a_finding(observed_at=day(n), cleared=n > 1) for n in (1, 2, 3))
    assert episodes([begin, end, again]) == [[begin, end]]
