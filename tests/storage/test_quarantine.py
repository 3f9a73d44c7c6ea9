"""What was refused is kept once with its bytes, and counted."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from storage import quarantine
from storage.quarantine import QuarantinedMessage
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
