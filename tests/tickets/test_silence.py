"""Entries that keep findings quiet, as pure data: half-open times, scopes, chains, and live against hindsight."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.a_visit import CATALOGUE, NOW, VEHICLE, a_finding, an_alert
from tickets.alert import Alert, AlertStatus
from tickets.holding import Outcome, hold, in_order, settle
from tickets.silence import Lift, Silence, SilenceKind, Subject, holder, over_alert, quiet_until
from tickets.triage import Wait, WaitReason, decide, merge
from vehicle.finding import Finding, Severity

DAY = timedelta(days=1)
TYRE = Subject(VEHICLE, "Kombi", "tyre", "tyre-leak")


def an_entry(starts: float, ends: float, number: int = 1, **changes: Any) -> Silence:
    """Of one car, all of it; days after `NOW`."""
    entry = Silence(
        silence_id=number,
        kind=SilenceKind.SUPPRESSION,
        starts_at=NOW + starts * DAY,
        ends_at=NOW + ends * DAY,
        author="K. Berg",
        reason="the sensor is known to be wrong",
        created_at=NOW,
        vehicle_id=VEHICLE,
    )
    return replace(entry, **changes)


def lifted(entry: Silence, at: float) -> Silence:
    return replace(entry, lifts=(Lift(entry.silence_id, NOW + at * DAY, "A. Roth", "repaired"),))


def at(day: float, **changes: Any) -> Finding:
    return a_finding(observed_at=NOW + day * DAY, **changes)


def test_an_entry_holds_from_its_start_up_to_and_without_its_end() -> None:
    entry = an_entry(1, 2)
    held = {day: holder([entry], TYRE, NOW + day * DAY) for day in (0.999, 1, 1.999, 2)}
    assert held == {0.999: None, 1: entry, 1.999: entry, 2: None}


@pytest.mark.parametrize(("at_day", "until"), [(1.5, 1.5), (3, 2), (0.5, 0.5)])
def test_one_that_is_lifted_ends_then_and_never_later_than_it_was_to(at_day: float, until: float) -> None:
    assert lifted(an_entry(1, 2), at_day).until == NOW + until * DAY


@pytest.mark.parametrize(
    ("scope", "others"),
    [
        ({"vehicle_id": VEHICLE}, [replace(TYRE, vehicle_id="veh-0002")]),
        ({"vehicle_id": None, "model": "Kombi"}, [replace(TYRE, model="Van")]),
        ({"detector": "tyre-leak"}, [replace(TYRE, detector="cell_peers"), replace(TYRE, vehicle_id="veh-0002")]),
        ({"component": "tyre"}, [replace(TYRE, component="brake"), replace(TYRE, vehicle_id="veh-0002")]),
    ],
)
def test_an_entry_keeps_quiet_what_it_names_and_nothing_else(scope: dict[str, Any], others: Sequence[Subject]) -> None:
    entry = an_entry(0, 1, **scope)
    assert entry.covers(TYRE, NOW)
    assert not any(entry.covers(other, NOW) for other in others)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), max_size=6), st.integers(0, 25))
def test_where_entries_overlap_or_touch_the_quiet_lasts_to_the_end_of_the_last(
    spans: list[tuple[int, int]], day: int
) -> None:
    entries = [an_entry(start, start + length, number) for number, (start, length) in enumerate(spans)]
    covered = {hour for start, length in spans for hour in range(start * 24, (start + length) * 24)}
    expected = day * 24
    while expected in covered:
        expected += 1
    assert quiet_until(entries, TYRE, NOW + day * DAY) == NOW + timedelta(hours=expected)


def test_danger_and_ends_are_never_held_back() -> None:
    found = {
        1: at(1.5),
        2: at(1.5, severity=Severity.DANGER),
        3: at(1.5, cleared=True),
        4: at(2),
        5: at(1.5, vehicle_id="veh-0002"),
    }
    assert hold(found, [an_entry(1, 2)], "Kombi") == {1: an_entry(1, 2)}


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ([], [(1, Outcome.RAISED)]),
        ([at(1.8, cleared=True)], [(1, Outcome.ENDED)]),
        ([at(2, cleared=True)], [(1, Outcome.ENDED)]),
        ([at(2.1, cleared=True)], [(1, Outcome.RAISED)]),
        ([at(1.2, cleared=True)], [(1, Outcome.RAISED)]),
        ([at(1.8, cleared=True, detector="other")], [(1, Outcome.RAISED)]),
    ],
    ids=["holds", "ended within", "ended as the quiet did", "ended later", "an earlier end", "another's end"],
)
def test_what_still_holds_when_an_entry_ends_is_raised(
    ended: list[Finding], expected: list[tuple[int, Outcome]]
) -> None:
    def settled(until: float) -> list[tuple[int, Outcome]]:
        found = settle({1: at(1.5)}, ended, [an_entry(1, 2)], "Kombi", NOW + until * DAY)
        return [(one.finding_id, one.outcome) for one in found]

    assert settled(1.99) == []
    assert settled(2) == expected


def test_a_finding_is_raised_when_the_entry_is_lifted() -> None:
    entry = lifted(an_entry(1, 30), 3)
    (one,) = settle({1: at(1.5)}, [], [entry], "Kombi", NOW + 3 * DAY)
    assert (one.outcome, one.at) == (Outcome.RAISED, NOW + 3 * DAY)
    assert settle({1: at(1.5)}, [], [lifted(entry, 0.5)], "Kombi", NOW + 2 * DAY)[0].at == NOW + 1.5 * DAY


def test_an_open_alert_is_quiet_only_while_all_that_it_rests_on_is() -> None:
    rule, whole = an_entry(0, 2, detector="tyre-leak"), an_entry(0, 1, 2)
    assert over_alert([rule], an_alert(), {"tyre-leak"}, "", NOW) == rule
    assert over_alert([rule], an_alert(), {"tyre-leak", "peers"}, "", NOW) is None
    assert over_alert([rule, whole], an_alert(), {"tyre-leak", "peers"}, "", NOW) == whole
    assert over_alert([whole], an_alert(), {"tyre-leak"}, "", NOW + DAY) is None
    assert over_alert([whole], an_alert(), set(), "", NOW) is None
    for alert in (an_alert(severity=Severity.DANGER), an_alert(status=AlertStatus.CONFIRMED)):
        assert over_alert([whole], alert, {"tyre-leak"}, "", NOW) is None


def test_a_quiet_alert_makes_no_ticket_and_danger_does() -> None:
    assert decide(an_alert(), CATALOGUE, an_entry(0, 1)) == Wait(WaitReason.SILENCED)
    assert not isinstance(decide(an_alert(severity=Severity.DANGER), CATALOGUE, an_entry(0, 1)), Wait)


class Runs:
    """A car judged in pieces, as `flows.raising` does it, its tables in memory."""

    def __init__(self, entries: Sequence[Silence]) -> None:
        self.entries = entries
        self.found: list[Finding] = []
        self.held: dict[int, Finding] = {}
        self.alerts: dict[tuple[str, str], Alert] = {}
        self.outcomes: dict[int, Outcome] = {}

    def run(self, news: Iterable[Finding], until: datetime) -> None:
        new = {len(self.found) + place: finding for place, finding in enumerate(news)}
        self.found += new.values()
        quiet = hold(new, self.entries, "Kombi")
        self.held |= {number: new[number] for number in quiet}
        told = {number: finding for number, finding in new.items() if number not in quiet}
        settled = settle(self.held, [one for one in self.found if one.cleared], self.entries, "Kombi", until)
        for together in in_order(told, self.held, settled):
            for change in merge(together.values(), list(self.alerts.values())):
                self.alerts[change.alert.component, change.alert.failure_mode] = change.alert
        for one in settled:
            assert one.finding_id not in self.outcomes
            self.outcomes[one.finding_id] = one.outcome
            del self.held[one.finding_id]


_FINDINGS = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from(["tyre-leak", "peers"]),
        st.sampled_from([Severity.WARNING, Severity.CRITICAL, Severity.DANGER]),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one[0],
)
_ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 200), st.integers(1, 80), st.sampled_from([None, "tyre-leak"]), st.none() | st.integers(0, 250)
    ),
    max_size=4,
)


@given(_FINDINGS, _ENTRIES, st.sets(st.integers(1, 280), max_size=6))
def test_live_and_in_hindsight_the_same_alerts_come_and_each_finding_is_settled_once(
    findings: list[tuple[int, str, Severity, bool]],
    spans: list[tuple[int, int, str | None, int | None]],
    cuts: set[int],
) -> None:
    hour = DAY / 24
    entries = [
        replace(
            an_entry(start / 24, (start + length) / 24, number, detector=detector),
            lifts=() if end is None else (Lift(number, NOW + end * hour, "A. Roth", "done"),),
        )
        for number, (start, length, detector, end) in enumerate(spans)
    ]
    found = [
        at(when / 24, detector=name, severity=severity, cleared=cleared, score=1.0 + when / 1000)
        for when, name, severity, cleared in sorted(findings)
    ]
    live, hindsight = Runs(entries), Runs(entries)
    for start, end in pairwise([-1, *sorted(cuts), 300]):
        span = (NOW + start * hour, NOW + end * hour)
        live.run([one for one in found if span[0] <= one.observed_at < span[1]], span[1])
    hindsight.run(found, NOW + 300 * hour)
    assert live.alerts == hindsight.alerts
    assert live.outcomes == hindsight.outcomes
    assert not live.held
    assert all(one.severity is not Severity.DANGER or one.cleared or live.alerts for one in found)
