"""Entries are kept for ever, lifted once, and say what they hold back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from storage import alerts, findings, held_findings, silences, vehicles
from storage.silences import SilenceOverError
from tests.support.a_visit import NOW, VEHICLE, a_finding, an_alert
from tickets.holding import Outcome, Settlement
from tickets.silence import Lift, Silence, SilenceKind
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]
DAY = timedelta(days=1)
CAR = VehicleRecord(VEHICLE, NOW, model="Kombi")
ENTRY = Silence(
    0, SilenceKind.SUPPRESSION, NOW, NOW + 3 * DAY, "K. Berg", "known", NOW, vehicle_id=VEHICLE, detector="tyre-leak"
)
FLEET = replace(ENTRY, kind=SilenceKind.SILENCE, vehicle_id=None)
STAY = replace(ENTRY, kind=SilenceKind.WORKSHOP, detector=None)


def test_what_is_added_is_found_and_what_is_for_a_car_too(connection: Connection) -> None:
    added = [
        silences.add(connection, one)
        for one in (ENTRY, FLEET, replace(FLEET, model="Kombi"), replace(FLEET, model="Van"), STAY)
    ]
    assert [replace(one, silence_id=0) for one in added[:2]] == [ENTRY, FLEET]
    assert silences.find(connection, added[0].silence_id) == added[0]
    assert silences.of_vehicle(connection, CAR) == [added[0], added[1], added[2], added[4]]
    assert silences.of_vehicle(connection, replace(CAR, vehicle_id="veh-2", model="")) == [added[1]]
    assert silences.stays(connection, VEHICLE) == [added[4].stay]
    assert silences.list_silences(connection, NOW + 3 * DAY) == []
    assert len(silences.list_silences(connection, NOW)) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ENTRY, ends_at=NOW),
        replace(ENTRY, reason=""),
        replace(ENTRY, author=""),
        replace(ENTRY, vehicle_id=None),
        replace(ENTRY, component="tyre"),
        replace(FLEET, vehicle_id=VEHICLE),
        replace(STAY, component="tyre"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(connection: Connection, wrong: Silence) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
        silences.add(connection, wrong)


def test_an_entry_is_lifted_once_while_it_lasts_and_both_are_kept(connection: Connection) -> None:
    entry = silences.add(connection, ENTRY)
    lift = Lift(entry.silence_id, NOW + DAY, "A. Roth", "repaired")
    silences.lift(connection, lift)
    assert silences.find(connection, entry.silence_id) == replace(entry, lifts=(lift,))
    with pytest.raises(SilenceOverError, match=r"lifted already, by A\. Roth"):
        silences.lift(connection, replace(lift, author="other"))
    over = silences.add(connection, ENTRY)
    with pytest.raises(SilenceOverError, match="has ended by itself"):
        silences.lift(connection, replace(lift, silence_id=over.silence_id, at=over.ends_at, seen_to=("tyre",)))
    with pytest.raises(SilenceOverError, match="there is no entry 999"):
        silences.lift(connection, replace(lift, silence_id=999))


def test_a_workshop_may_report_after_the_car_has_left(connection: Connection) -> None:
    entry = silences.add(connection, STAY)
    late = Lift(entry.silence_id, NOW + 9 * DAY, "A. Roth", "replaced", ("tyre",))
    with pytest.raises(SilenceOverError):
        silences.lift(connection, replace(late, seen_to=()))
    silences.lift(connection, late)
    stored = silences.find(connection, entry.silence_id)
    assert stored
    assert stored.stay
    assert (stored.stay.end, stored.stay.seen_to) == (ENTRY.ends_at, ("tyre",))


def test_a_workshop_may_report_after_the_stay_was_ended_and_again(connection: Connection) -> None:
    entry = silences.add(connection, STAY)
    back = Lift(entry.silence_id, NOW + DAY, "A. Roth", "picked up")
    silences.lift(connection, back)
    for day, component in ((2, "tyre"), (3, "brake")):
        silences.lift(connection, replace(back, at=NOW + day * DAY, reason="replaced", seen_to=(component,)))
    with pytest.raises(SilenceOverError, match="lifted already"):
        silences.lift(connection, back)
    (stay,) = silences.stays(connection, VEHICLE)
    assert (stay.end, stay.seen_to) == (NOW + DAY, ("tyre", "brake"))


def test_findings_held_back_are_settled_once(connection: Connection) -> None:
    entry = silences.add(connection, ENTRY)
    number, other = (findings.record(connection, a_finding(score=score, locations=(str(score),))) for score in (1, 2))
    assert number
    assert other
    held_findings.hold(connection, {number: entry, other: entry})
    assert held_findings.waiting_vehicles(connection) == {VEHICLE}
    assert held_findings.counts(connection) == {entry.silence_id: 2}
    assert held_findings.settle(connection, [Settlement(number, Outcome.RAISED, NOW)], NOW + DAY) == {number}
    assert held_findings.settle(connection, [Settlement(number, Outcome.ENDED, NOW)], NOW + 2 * DAY) == set()
    assert set(held_findings.waiting(connection, VEHICLE)) == {other}
    told = {one.finding_id: (one.outcome, one.settled_at) for one in held_findings.list_held(connection)}
    assert told == {number: (Outcome.RAISED, NOW + DAY), other: (None, None)}
    assert [one.finding_id for one in held_findings.list_held(connection, VEHICLE, settled=False)] == [other]
    assert held_findings.list_held(connection, "veh-2") == []


def test_an_open_alert_is_quiet_while_every_detector_it_rests_on_is(connection: Connection) -> None:
    vehicles.register(connection, CAR)
    alert = an_alert()
    alerts.save(connection, alert)
    findings.record(connection, a_finding())
    entry = silences.add(connection, ENTRY)
    assert silences.over_alerts(connection, [alert], NOW) == {alert.alert_id: entry}
    assert silences.over_alerts(connection, [alert], ENTRY.ends_at) == {}
    findings.record(connection, a_finding(detector="peers"))
    assert silences.over_alerts(connection, [alert], NOW) == {}
    findings.record(connection, a_finding(detector="peers", observed_at=NOW + DAY, cleared=True))
    assert silences.over_alerts(connection, [alert], NOW) == {alert.alert_id: entry}


def test_what_is_known_of_a_car_that_is_forgotten_goes_and_the_fleets_stays(connection: Connection) -> None:
    vehicles.register(connection, CAR)
    entry, fleet = silences.add(connection, ENTRY), silences.add(connection, FLEET)
    silences.lift(connection, Lift(entry.silence_id, NOW + DAY, "A. Roth", "repaired"))
    number = findings.record(connection, a_finding())
    assert number
    held_findings.hold(connection, {number: fleet})
    assert vehicles.forget(connection, VEHICLE)["silences"] == 1
    assert silences.list_silences(connection) == [fleet]
    assert held_findings.list_held(connection) == []


def test_maintenance_that_a_workshop_has_seen_to_is_the_car_s_last_service(connection: Connection) -> None:
    vehicles.register(connection, CAR)
    stay = silences.add(connection, STAY)
    lift = Lift(stay.silence_id, NOW + DAY, "K. Berg", "yearly service", ("tyre",))
    silences.lift(connection, lift)
    assert vehicles.find(connection, VEHICLE) == CAR
    silences.lift(connection, replace(lift, at=NOW + 2 * DAY, seen_to=("maintenance",)))
    assert vehicles.find(connection, VEHICLE) == replace(CAR, serviced_at=NOW + DAY), "it was back then"
