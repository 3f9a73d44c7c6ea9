"""What the batch ledger tells of a day beside its samples."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from flows.observations import DAY, LOST, observations
from rules.loader import load_rules
from storage import vehicles
from storage.connection import connect
from storage.ledger import BatchKey
from tests.support.stored_samples import store_batch
from tests.support.windows import a_vehicle
from vehicle.moment import instant

pytestmark = pytest.mark.integration
START = datetime(2026, 3, 1, tzinfo=UTC)
CAR = a_vehicle()


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, autocommit=True) as opened:
        yield opened


def _share(connection: psycopg.Connection[Any], day: int) -> float | None:
    found = observations(connection, CAR, START + day * DAY, load_rules())
    return found[LOST].values.item() if LOST in found else None


def _send(connection: psycopg.Connection[Any], day: int, *seqs: int) -> None:
    """A batch an hour, from the hour of its number in the day on."""
    for seq in seqs:
        at = START + day * DAY + (seq % 24) * timedelta(hours=1)
        times = instant(at) + np.arange(2) * np.timedelta64(10, "m")
        sent_at = at + timedelta(minutes=15)
        store_batch(connection, BatchKey(CAR.vehicle_id, "a1", seq), times, {"speed_kmh": np.zeros(2)}, sent_at)


def test_the_share_of_a_day_s_batches_that_never_came(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    _send(connection, 0, *range(1, 23))
    _send(connection, 1, *range(24, 48, 3))
    assert _share(connection, 0) == 0.0
    # 23, which is told by the first batch behind it, and two behind each but the last.
    assert _share(connection, 1) == pytest.approx(100.0 * 15 / 23)
    _send(connection, 1, *(seq for seq in range(23, 48) if seq % 3))
    assert _share(connection, 1) == 0.0, "what comes late counts"


def test_a_day_with_few_batches_says_nothing(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    _send(connection, 0, 1, 5)
    assert _share(connection, 0) is None
    assert _share(connection, 3) is None
