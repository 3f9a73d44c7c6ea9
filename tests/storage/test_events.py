"""Events come back as they were sent, in the order of their times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import events
from vehicle.batch import Event, EventBatch, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
CODE = DiagnosticTroubleCode("P0A1F", DtcStatus.CONFIRMED | DtcStatus.WARNING_INDICATOR_REQUESTED)


def test_events_come_back(connection: psycopg.Connection[Any]) -> None:
    trouble = Event(NOW + timedelta(seconds=1), EventKind.TROUBLE_CODE, CODE, {"speed_kmh": 31.5, "lamp": None})
    start = Event(NOW, EventKind.DRIVE_START)
    later = Event(NOW + timedelta(hours=1), EventKind.DRIVE_STOP)
    batches = [
        EventBatch("car", "boot", 1, NOW, (trouble, start)),
        EventBatch("car", "boot", 2, NOW, (later,)),
        EventBatch("other", "boot", 1, NOW, (start,)),
    ]
    assert events.record(connection, batches, NOW) == 4
    assert events.read(connection, "car", NOW, NOW + timedelta(hours=1)) == [start, trouble]
    assert events.record(connection, [], NOW) == 0
