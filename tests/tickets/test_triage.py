import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.a_visit import CATALOGUE, NOW, a_finding, an_alert
from tickets.alert import Alert, AlertStatus
from tickets.ticket import Channel
from tickets.triage import DISMISSAL_HOLDS, AlertChange, ChangeKind, Order, Wait, WaitReason, decide, merge
from vehicle.failure import FailureMode
from vehicle.finding import Finding, RemainingUsefulLife, Severity

DAY = timedelta(days=1)


@st.composite
def some_findings(draw: st.DrawFn) -> Finding:
    mode = draw(st.sampled_from([FailureMode.TYRE_SLOW_LEAK, FailureMode.WEAK_CELL_GROUP]))
    life = st.builds(RemainingUsefulLife, st.floats(-1, 9), st.floats(0, 9), st.floats(0, 9))
    return a_finding(
        vehicle_id=draw(st.sampled_from(["veh-a", "veh-b"])),
        component=mode.component,
        failure_mode=mode,
        detector=draw(st.sampled_from(["d1", "d2"])),
        score=draw(st.sampled_from([0.5, 1.0, 2.0])),
        severity=draw(st.sampled_from(Severity)),
        confidence=draw(st.sampled_from([0.2, 0.7, 0.9])),
        observed_at=NOW + draw(st.integers(0, 5)) * timedelta(hours=6),
        locations=tuple(draw(st.lists(st.sampled_from(["V_2", "V_10", "V_81"]), max_size=2))),
        cleared=draw(st.booleans()),
        remaining_useful_life=draw(st.none() | life),
    )


findings_lists = st.lists(some_findings(), max_size=12)


def applied(known: Iterable[Alert], changes: Iterable[AlertChange]) -> list[Alert]:
    alerts = {alert.alert_id: alert for alert in known} | {change.alert.alert_id: change.alert for change in changes}
    return list(alerts.values())


def contents(alerts: Iterable[Alert]) -> set[Alert]:
    """What alerts say, whichever of their findings came first."""
    return {replace(alert, alert_id=an_alert().alert_id) for alert in alerts}


@given(findings_lists)
def test_the_same_findings_again_change_nothing(findings: list[Finding]) -> None:
    alerts = applied([], merge(findings, []))
    assert merge(findings, alerts) == []


@given(findings_lists, st.randoms(use_true_random=False))
def test_the_order_within_a_run_does_not_matter(findings: list[Finding], random: Random) -> None:
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert [change.alert for change in merge(findings, [])] == [change.alert for change in merge(shuffled, [])]


@given(st.lists(some_findings().filter(lambda finding: not finding.cleared), max_size=12), st.integers(0, 12))
def test_it_does_not_matter_in_how_many_runs_findings_come(findings: list[Finding], cut: int) -> None:
    at_once = applied([], merge(findings, []))
    for first, second in ((findings[:cut], findings[cut:]), (findings[cut:], findings[:cut])):
        alerts = applied([], merge(first, []))
        alerts = applied(alerts, merge(second, alerts))
        assert contents(alerts) == contents(at_once)


@given(findings_lists)
def test_there_is_one_open_alert_per_problem_and_it_is_as_bad_as_the_worst(findings: list[Finding]) -> None:
    alerts = [change.alert for change in merge(findings, [])]
    keys = [(alert.vehicle_id, alert.component, alert.failure_mode) for alert in alerts]
    assert len(keys) == len(set(keys))
    for alert in alerts:
        own = [f for f in findings if f.vehicle_id == alert.vehicle_id and f.failure_mode == alert.failure_mode]
        seen = [f for f in own if not f.cleared]
        assert alert.severity == max(f.severity for f in seen)
        assert set(alert.locations) == set(itertools.chain.from_iterable(f.locations for f in seen))
        assert (alert.opened_at, alert.last_seen_at) == (
            min(f.observed_at for f in seen),
            max(f.observed_at for f in seen),
        )


@given(findings_lists, st.sampled_from(AlertStatus), st.sampled_from(Severity))
def test_danger_is_never_hidden(findings: list[Finding], status: AlertStatus, severity: Severity) -> None:
    known = [
        an_alert(FailureMode.TYRE_SLOW_LEAK, vehicle_id=vehicle_id, status=status, severity=severity, confidence=0.0)
        for vehicle_id in ("veh-a", "veh-b")
    ]
    alerts = applied(known, merge(findings, known)) if status is not AlertStatus.RESOLVED else []
    alerts = alerts or [change.alert for change in merge(findings, [])]
    for finding in findings:
        if finding.severity is Severity.DANGER and not finding.cleared:
            own = [
                alert
                for alert in alerts
                if (alert.vehicle_id, alert.failure_mode) == (finding.vehicle_id, finding.failure_mode)
                and alert.severity is Severity.DANGER
            ]
            assert any(isinstance(decide(alert, CATALOGUE), Order) for alert in own)


def test_an_alert_tells_of_all_locations_in_their_order() -> None:
    changes = merge([a_finding(locations=("V_81",)), a_finding(locations=("V_2",), observed_at=NOW + DAY)], [])
    assert changes[0].kind is ChangeKind.OPENED
    assert changes[0].alert.locations == ("V_2", "V_81")
    assert changes[0].latest is not None
    assert changes[0].latest.locations == ("V_2",)


def test_a_cleared_condition_is_noted_and_comes_back_with_the_next_finding() -> None:
    alert = an_alert()
    [gone] = merge([a_finding(cleared=True, observed_at=NOW + DAY)], [alert])
    assert (gone.kind, gone.alert.cleared_at) == (ChangeKind.CLEARED, NOW + DAY)
    assert gone.alert.status is AlertStatus.OPEN
    [back] = merge([a_finding(observed_at=NOW + 2 * DAY)], [gone.alert])
    assert (back.kind, back.alert.cleared_at) == (ChangeKind.AMENDED, None)


def test_a_late_end_of_something_seen_since_ends_nothing() -> None:
    assert merge([a_finding(cleared=True, observed_at=NOW - DAY)], [an_alert()]) == []


def test_an_end_of_what_was_never_seen_opens_nothing() -> None:
    assert merge([a_finding(cleared=True)], []) == []


@pytest.mark.parametrize(
    ("finding", "opens"),
    [
        (a_finding(observed_at=NOW + DAY), False),
        (a_finding(observed_at=NOW + DISMISSAL_HOLDS), True),
        (a_finding(observed_at=NOW + DAY, severity=Severity.CRITICAL), True),
        (a_finding(observed_at=NOW + DAY, vehicle_id="another"), True),
    ],
)
def test_what_a_person_dismissed_stays_dismissed_unless_it_gets_worse(finding: Finding, opens: bool) -> None:  # noqa: FBT001
    dismissed = an_alert(status=AlertStatus.DISMISSED)
    assert bool(merge([finding], [dismissed])) is opens


@pytest.mark.parametrize(
    ("alert", "reason"),
    [
        (an_alert(status=AlertStatus.DISMISSED), WaitReason.NOT_OPEN),
        (an_alert(status=AlertStatus.RESOLVED), WaitReason.NOT_OPEN),
        (an_alert(confidence=0.3), WaitReason.UNCERTAIN),
        (an_alert(severity=Severity.INFO), WaitReason.ONLY_INFORMATION),
        (an_alert(cleared_at=NOW), WaitReason.CLEARED),
        (replace(an_alert(), failure_mode="rust"), WaitReason.UNKNOWN_FAULT),
    ],
)
def test_an_engineer_decides_and_is_told_why(alert: Alert, reason: WaitReason) -> None:
    assert decide(alert, CATALOGUE) == Wait(reason)


@pytest.mark.parametrize(
    "alert",
    [
        an_alert(),
        an_alert(confidence=0.1, severity=Severity.INFO, status=AlertStatus.CONFIRMED, cleared_at=NOW),
        an_alert(confidence=0.1, severity=Severity.DANGER, cleared_at=NOW),
    ],
    ids=["sure", "confirmed by a person", "danger"],
)
def test_these_make_a_ticket_by_themselves(alert: Alert) -> None:
    assert isinstance(decide(alert, CATALOGUE), Order)


@pytest.mark.parametrize(
    ("mode", "severity", "channel"),
    [
        (FailureMode.LV_BATTERY_AGEING, Severity.CRITICAL, Channel.MOBILE),
        (FailureMode.TYRE_SLOW_LEAK, Severity.WARNING, Channel.MOBILE),
        (FailureMode.WEAK_CELL_GROUP, Severity.WARNING, Channel.SERVICE_CENTRE),
        (FailureMode.CHARGE_INLET_OVERHEATING, Severity.WARNING, Channel.MOBILE),
        (FailureMode.COOLANT_PUMP_WEAK, Severity.CRITICAL, Channel.SERVICE_CENTRE),
        (FailureMode.HV_ISOLATION_LOSS, Severity.DANGER, Channel.TOW),
    ],
)
def test_the_catalogue_says_who_sees_to_it(mode: FailureMode, severity: Severity, channel: Channel) -> None:
    order = decide(an_alert(mode, severity=severity), CATALOGUE)
    assert isinstance(order, Order)
    assert order.channel is channel


@pytest.mark.parametrize(
    ("life", "due_at"),
    [
        (None, NOW + 7 * DAY),
        (RemainingUsefulLife(3, 5, 9), NOW + 3 * DAY),
        (RemainingUsefulLife(30, 50, 90), NOW + 7 * DAY),
        (RemainingUsefulLife(-2, 1, 2), NOW),
    ],
)
def test_remaining_useful_life_brings_the_due_date_forward(life: RemainingUsefulLife | None, due_at: datetime) -> None:
    order = decide(an_alert(remaining_useful_life=life), CATALOGUE)
    assert isinstance(order, Order)
    assert order.due_at == due_at


def test_a_title_names_the_parts_concerned_but_not_a_whole_pack() -> None:
    few = decide(an_alert(FailureMode.WEAK_CELL_GROUP, locations=("V_2", "V_81")), CATALOGUE)
    assert isinstance(few, Order)
    assert few.title == "Weak cell group in the traction battery (V_2, V_81)"
    many = decide(an_alert(FailureMode.WEAK_CELL_GROUP, locations=tuple(f"V_{n}" for n in range(96))), CATALOGUE)
    assert isinstance(many, Order)
    assert many.title.endswith("V_5 and 90 more)")
