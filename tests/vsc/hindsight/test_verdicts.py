"""Verdicts instead of truth: which fire takes what was said of which alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from features.stays import Stay
from flows.backtest import Backtest, Fire
from rules.loader import load_rules
from storage.decisions import Decision, Verdict
from tests.support.windows import a_vehicle
from tickets.alert import Alert, AlertStatus
from vehicle.finding import Severity
from vsc.hindsight.reference import Answer
from vsc.hindsight.score import score
from vsc.hindsight.verdicts import VerdictReference, answered

START = datetime(2026, 3, 1, tzinfo=UTC)
LEAK = next(rule for rule in load_rules() if rule.rule_id == "tyre_slow_leak")
ALERT = UUID(int=1)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def an_alert(status: AlertStatus, opened: float = 10, cleared: float | None = None, vehicle: str = "car-1") -> Alert:
    ended = None if cleared is None else day(cleared)
    return Alert(
        ALERT, vehicle, "tyre", "tyre_slow_leak", status, Severity.WARNING, 1.0, 0.5, day(opened), day(opened + 1),
        cleared_at=ended,
    )  # fmt: skip


def a_fire(start: float, end: float | None = None, vehicle: str = "car-1") -> Fire:
    return Fire("tyre_slow_leak", vehicle, day(start), None if end is None else day(end), "warning", (), "It leaks.")


def decided(verdict: Verdict, at: float = 14) -> Decision:
    return Decision(ALERT, day(at), "engineer", verdict, "seen")


CONFIRMED = answered(an_alert(AlertStatus.CONFIRMED), [decided(Verdict.CONFIRM)], [])
DISMISSED = answered(an_alert(AlertStatus.DISMISSED), [decided(Verdict.DISMISS)], [])
CLEARED = answered(an_alert(AlertStatus.CONFIRMED, cleared=20), [decided(Verdict.CONFIRM)], [])


@pytest.mark.parametrize(
    ("alert", "fire", "expected"),
    [
        (CONFIRMED, a_fire(10), Answer.RIGHT),
        (CONFIRMED, a_fire(30, 31), Answer.RIGHT),
        (CONFIRMED, a_fire(8, 11), Answer.RIGHT),
        (CONFIRMED, a_fire(8, 9), Answer.UNKNOWN),
        (CONFIRMED, a_fire(11, vehicle="car-2"), Answer.UNKNOWN),
        (DISMISSED, a_fire(11, 12), Answer.WRONG),
        (DISMISSED, a_fire(15), Answer.UNKNOWN),
        (CLEARED, a_fire(20), Answer.RIGHT),
        (CLEARED, a_fire(21), Answer.UNKNOWN),
    ],
)
def test_a_fire_takes_what_was_said_at_its_time(alert: object, fire: Fire, expected: Answer) -> None:
    assert VerdictReference((alert,)).answer(LEAK, fire) is expected  # type: ignore[arg-type]


def test_another_failure_mode_is_another_problem() -> None:
    other = next(rule for rule in load_rules() if str(rule.failure_mode) != "tyre_slow_leak")
    assert CONFIRMED is not None
    assert VerdictReference((CONFIRMED,)).answer(other, a_fire(11)) is Answer.UNKNOWN


def test_a_workshop_bears_out_what_it_has_seen_to_by_name() -> None:
    alert = an_alert(AlertStatus.OPEN)
    stay = Stay(1, day(20), day(21), ("tyre",))
    told = answered(alert, [], [stay])
    assert told is not None
    assert (told.answer, told.at) == (Answer.RIGHT, day(21))
    assert answered(alert, [], [replace(stay, seen_to=("all",))]) is None
    assert answered(alert, [], [replace(stay, seen_to=("brake",))]) is None
    assert answered(alert, [], [Stay(1, day(8), day(9), ("tyre",))]) is None
    assert answered(an_alert(AlertStatus.OPEN, cleared=12), [], [stay]) is None


def test_an_engineers_word_goes_before_a_workshops() -> None:
    stay = Stay(1, day(20), day(21), ("tyre",))
    told = answered(an_alert(AlertStatus.DISMISSED), [decided(Verdict.DISMISS)], [stay])
    assert told is not None
    assert told.answer is Answer.WRONG


def test_precision_counts_only_what_somebody_has_judged() -> None:
    assert CONFIRMED is not None
    assert DISMISSED is not None
    other = replace(DISMISSED, alert=replace(DISMISSED.alert, vehicle_id="car-2"))
    fires = (a_fire(10), a_fire(11, 12, "car-2"), a_fire(20, vehicle="car-2"), a_fire(3, vehicle="car-3"))
    found = Backtest(fires, samples=0, vehicle_days=90, span=(START, day(30)))
    vehicles = {name: a_vehicle(vehicle_id=name) for name in ("car-1", "car-2", "car-3")}
    worth = score(LEAK, found, vehicles, VerdictReference((CONFIRMED, other)))
    assert (worth.fires, worth.true_fires, worth.precision, worth.without_verdict) == (4, 1, 0.5, 2)
    assert (worth.faults, worth.recall, worth.lead_days) == (None, None, None)
