"""Findings say what was missing from the time they looked at."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from config.clock import Clock
from flows.diagnose import diagnose
from flows.missing import in_words
from storage import alerts, findings
from storage.gaps import Gap, LostSpan
from tests.flows.test_diagnose import DAY, SOFT, SOUND, START, clock, connection, send

__all__ = ["clock", "connection"]

Connection = psycopg.Connection[Any]
BOTH = (
    "3 batches missing between 1 Sep, 06:12 and 06:40; "
    "the car was silent 2 times between 2 Sep, 00:00 and 5 Sep, 00:00."
)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lost", "silent", "says"),
    [
        ([], [], ""),
        (
            [LostSpan(at(1, 6, 12), at(1, 6, 40), 3)],
            [],
            "3 batches missing between 1 Sep, 06:12 and 06:40.",
        ),
        (
            [LostSpan(at(1, 6, 12), at(1, 6, 40), 3), LostSpan(at(2), at(3), 9)],
            [],
            "12 batches missing in 2 places between 1 Sep, 06:12 and 3 Sep, 00:00.",
        ),
        ([LostSpan(at(1, 6, 12), at(1, 6, 12), 1)], [], "1 batch missing before 1 Sep, 06:12."),
        ([], [Gap(at(1), at(2))], "The car was silent between 1 Sep, 00:00 and 2 Sep, 00:00."),
        (
            [LostSpan(at(1, 6, 12), at(1, 6, 40), 3)],
            [Gap(at(2), at(3)), Gap(at(4), at(5))],
            BOTH,
        ),
    ],
    ids=["nothing", "one", "two", "before the first", "silence", "both"],
)
def test_what_is_missing_is_one_sentence(lost: list[LostSpan], silent: list[Gap], says: str) -> None:
    assert in_words((lost, silent)) == says


def test_a_stay_in_a_workshop_is_named_like_a_gap() -> None:
    says = in_words(([], []), [(at(1, 6), at(1, 8)), (at(3), at(4))])
    assert says == "The car was in a workshop 2 times between 1 Sep, 06:00 and 4 Sep, 00:00."


@pytest.mark.integration
def test_a_finding_over_a_gap_says_so_until_the_gap_is_filled(connection: Connection, clock: Clock) -> None:
    for day, gap in ((0, SOUND), (1, SOUND), (3, SOFT), (4, SOFT)):
        send(connection, day, gap)
        diagnose(connection, clock)
    assert missing(connection) == ["1 batch missing between 2 Mar, 22:00 and 4 Mar, 00:00."]
    send(connection, 2, SOUND, sent_at=START + 5 * DAY + timedelta(minutes=3))
    diagnose(connection, clock)
    assert missing(connection) == [""]


@pytest.mark.integration
def test_a_finding_with_all_samples_says_nothing(connection: Connection, clock: Clock) -> None:
    for day in range(5):
        send(connection, day, SOFT)
    diagnose(connection, clock)
    assert missing(connection) == [""]


def missing(connection: Connection) -> list[str]:
    """What each claim lacked."""
    with connection.transaction():
        (alert,) = alerts.list_alerts(connection)
        stored = findings.of_vehicle(connection, alert.vehicle_id)
    return [one.finding.evidence.missing for one in stored]
