"""An audit that could not fail would prove nothing."""

from datetime import UTC, datetime

import psycopg
import pytest

from benchmarks.audit import Audit, Sent, audit
from benchmarks.cars import SAMPLE_STEP, boot_of

pytestmark = pytest.mark.integration

CAR = "bench-0000"
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
SENT = [Sent(CAR, batches=2, rows=4, first_at=START, step=SAMPLE_STEP)]
TIMES = [START + index * SAMPLE_STEP for index in range(4)]


def store(database_url: str, times: list[datetime], batches: int = 2) -> None:
    with psycopg.connect(database_url) as connection:
        for at in times:
            connection.execute(
                "INSERT INTO telemetry (vehicle_id, time, received_at) VALUES (%s, %s, %s)", [CAR, at, at]
            )
        for seq in range(1, batches + 1):
            connection.execute(
                "INSERT INTO batch_ledger (vehicle_id, boot, seq, kind, rows, received_at) "
                "VALUES (%s, %s, %s, 'telemetry', 2, %s)",
                [CAR, boot_of(CAR), seq, START],
            )


def test_all_is_well(database_url: str) -> None:
    store(database_url, TIMES)
    assert audit(database_url, SENT) == Audit()


def test_a_missing_row_is_lost(database_url: str) -> None:
    store(database_url, TIMES[:-1])
    assert audit(database_url, SENT) == Audit(lost=1)


def test_a_row_that_stands_twice_is_duplicated(database_url: str) -> None:
    store(database_url, [*TIMES, TIMES[2]])
    assert audit(database_url, SENT) == Audit(duplicated=1)


def test_a_row_between_two_samples_is_foreign_and_makes_up_for_none(database_url: str) -> None:
    store(database_url, [*TIMES[:-1], TIMES[1] + SAMPLE_STEP / 2])
    assert audit(database_url, SENT) == Audit(lost=1, foreign=1)


def test_a_batch_that_the_ledger_lacks_is_lost(database_url: str) -> None:
    store(database_url, TIMES, batches=1)
    assert audit(database_url, SENT) == Audit(lost=2)


def test_rows_that_were_dropped_on_purpose_are_not_missed(database_url: str) -> None:
    store(database_url, TIMES[2:])
    left = [Sent(CAR, batches=2, rows=4, first_at=START, step=SAMPLE_STEP, gone_before=2)]
    assert audit(database_url, left) == Audit()
