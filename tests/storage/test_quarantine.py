"""What was refused is kept once with its bytes, and counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import quarantine
from storage.quarantine import QuarantinedMessage, Selection
from vehicle.rejection import Rejection, RejectionReason

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
BAD = QuarantinedMessage(
    NOW,
    "vsc/v1/car/telemetry",
    Rejection(RejectionReason.UNREADABLE, "no"),
    b"\0\xff",
    "application/json",
    "car",
    "b",
    7,
)


def test_the_same_again_is_counted(connection: psycopg.Connection[Any]) -> None:
    late = replace(BAD, rejection=Rejection(RejectionReason.TOO_LATE, "late"))
    quarantine.record(connection, [BAD, BAD, late])
    quarantine.record(connection, [BAD])
    assert quarantine.counts(connection) == {RejectionReason.TOO_LATE: 1, RejectionReason.UNREADABLE: 3}
    assert {(entry.reason, entry.payload, entry.count) for entry in quarantine.entries(connection)} == {
        (RejectionReason.UNREADABLE, b"\0\xff", 3),
        (RejectionReason.TOO_LATE, b"\0\xff", 1),
    }


def test_no_text_from_outside_breaks_the_writing(connection: psycopg.Connection[Any]) -> None:
    strange = "a\0b\ud800c\u202e"
    quarantine.record(
        connection,
        [
            QuarantinedMessage(NOW, strange, Rejection(RejectionReason.UNKNOWN_TOPIC, strange), b"", strange, strange),
            replace(BAD, topic="", vehicle_id=None, boot=None, seq=None, content_type=""),
        ],
    )
    plain, kept = sorted(quarantine.entries(connection), key=lambda entry: entry.topic)
    assert (plain.vehicle_id, plain.boot, plain.seq) == (None, None, None)
    assert kept.topic == kept.detail == kept.content_type == kept.vehicle_id == "a\\x00b\\ud800c\u202e"


def test_the_size_is_that_of_the_payloads_and_grows_by_what_is_new(connection: psycopg.Connection[Any]) -> None:
    late = replace(BAD, rejection=Rejection(RejectionReason.TOO_LATE, "late"), payload=b"12345")
    assert quarantine.record(connection, [BAD, BAD]) == 2
    assert quarantine.record(connection, [BAD, late]) == 5
    assert quarantine.record(connection, []) == 0
    assert quarantine.size(connection) == 7
    keys = {quarantine.row_key(message) for message in (BAD, late, replace(BAD, topic="another"))}
    assert quarantine.kept(connection, keys) == {quarantine.row_key(BAD), quarantine.row_key(late)}
    assert quarantine.kept(connection, set()) == set()


def test_an_entry_tells_when_it_came_first_and_last(connection: psycopg.Connection[Any]) -> None:
    quarantine.record(connection, [BAD])
    quarantine.record(connection, [replace(BAD, received_at=NOW + timedelta(days=2))])
    quarantine.record(connection, [replace(BAD, received_at=NOW + timedelta(days=1))])
    (entry,) = quarantine.entries(connection)
    assert (entry.received_at, entry.last_received_at, entry.count) == (NOW, NOW + timedelta(days=2), 3)


def test_entries_are_selected(connection: psycopg.Connection[Any]) -> None:
    other = replace(BAD, vehicle_id="other", payload=b"y", rejection=Rejection(RejectionReason.TOO_LATE, "late"))
    quarantine.record(connection, [BAD])
    quarantine.record(connection, [other, replace(other, rejection=BAD.rejection)])

    def found(**which: Any) -> list[tuple[str | None, RejectionReason]]:
        return [(e.vehicle_id, e.reason) for e in quarantine.entries(connection, 10, Selection(**which))]

    late, unreadable = RejectionReason.TOO_LATE, RejectionReason.UNREADABLE
    assert found(vehicle_id="car") == [("car", unreadable)]
    assert found(reason=late) == [("other", late)]
    assert len(found()) == 3
    assert found(ids=[entry.id for entry in quarantine.entries(connection) if entry.vehicle_id == "car"]) == [
        ("car", unreadable)
    ]
    assert len(quarantine.messages(connection)) == 2
    (rows,) = quarantine.hold(connection, quarantine.messages(connection, Selection(reason=late)))
    assert {row.reason for row in rows} == {late, unreadable}


def test_what_is_left_to_say_takes_the_place_of_the_rows(connection: psycopg.Connection[Any]) -> None:
    quarantine.record(connection, [BAD, BAD, replace(BAD, rejection=Rejection(RejectionReason.TOO_LATE, "late"))])
    (rows,) = quarantine.hold(connection, quarantine.messages(connection))
    left = [Rejection(RejectionReason.TOO_LATE, "later"), Rejection(RejectionReason.CLOCK_UNSET, "unset\0")]
    quarantine.settle(connection, rows, left)
    (now,) = quarantine.hold(connection, quarantine.messages(connection))
    assert [(row.reason, row.detail) for row in now] == [
        (RejectionReason.TOO_LATE, "later"),
        (RejectionReason.CLOCK_UNSET, "unset\\x00"),
    ]
    assert now[0].id == rows[0].id
    assert quarantine.says(now, left)
    quarantine.settle(connection, now, [])
    assert quarantine.entries(connection) == []


def test_a_vehicle_is_forgotten_by_its_topics_too(connection: psycopg.Connection[Any]) -> None:
    nameless = replace(BAD, vehicle_id=None, payload=b"1")
    quarantine.record(
        connection,
        [BAD, replace(nameless, topic="vsc/v1/car/odd"), replace(nameless, topic="vsc/v1/car-2/odd"), nameless],
    )
    assert quarantine.forget(connection, ["car"]) == 3
    assert [entry.topic for entry in quarantine.entries(connection)] == ["vsc/v1/car-2/odd"]
