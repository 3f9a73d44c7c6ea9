"""Where detectors stand, and that one of a kind runs at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import detectors
from storage.connection import connect
from storage.detectors import DetectorState

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)


def test_a_state_is_moved(connection: psycopg.Connection[Any]) -> None:
    first = DetectorState("rules", "car", NOW)
    moved = DetectorState("rules", "car", NOW + timedelta(hours=1), {"since": [1, None, "x"]})
    detectors.save(connection, first)
    detectors.save(connection, DetectorState("cells", "car", NOW))
    detectors.save(connection, moved)
    assert detectors.find(connection, "rules", "car") == moved
    assert detectors.find(connection, "rules", "other") is None
    assert detectors.states(connection, "rules") == {"car": moved}


def test_one_at_a_time(shared_url: str, connection: psycopg.Connection[Any]) -> None:
    with connect(shared_url) as other:
        assert detectors.claim(connection, "rules")
        assert not detectors.claim(other, "rules")
        assert detectors.claim(other, "cells")
        connection.commit()
        assert detectors.claim(other, "rules")
