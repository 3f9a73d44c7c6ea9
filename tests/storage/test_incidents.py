"""Incidents and the sessions that tell one of them: what is noted, and since when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from storage import ingest_sessions
from storage.incidents import IncidentKind, list_incidents, record

pytestmark = pytest.mark.integration

BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


def test_incidents_come_back_the_latest_first(connection: psycopg.Connection[Any]) -> None:
    first = record(connection, IncidentKind.LOST_SESSION, BEFORE, {"shard": "0/1"})
    second = record(connection, IncidentKind.POISON)
    assert list_incidents(connection) == [second, first]
    assert list_incidents(connection, 1) == [second]
    assert (first.kind, first.from_at, dict(first.details)) == (IncidentKind.LOST_SESSION, BEFORE, {"shard": "0/1"})
    assert first.to_at > BEFORE
    assert second.from_at == second.to_at


def test_an_incident_that_seems_to_begin_in_the_future_begins_now(connection: psycopg.Connection[Any]) -> None:
    incident = record(connection, IncidentKind.LOST_SESSION, datetime.now(UTC) + timedelta(hours=1))
    assert incident.from_at == incident.to_at


def test_a_session_is_known_from_its_second_time_on(connection: psycopg.Connection[Any]) -> None:
    assert ingest_sessions.heard(connection, "a", 1) is None
    connection.execute("UPDATE ingest_sessions SET heard_at = %s", [BEFORE])
    assert ingest_sessions.heard(connection, "b", 1) is None
    assert ingest_sessions.heard(connection, "a", 1) == BEFORE
    again = ingest_sessions.heard(connection, "a", 1)
    assert again is not None
    assert again > BEFORE


def test_sessions_of_other_layouts_are_known_until_they_are_forgotten(connection: psycopg.Connection[Any]) -> None:
    for client_id, shards in (("a", 1), ("b", 2), ("c", 2)):
        ingest_sessions.heard(connection, client_id, shards)
    assert ingest_sessions.of_other_layouts(connection, 1) == ["b", "c"]
    ingest_sessions.forget(connection, "b")
    assert ingest_sessions.of_other_layouts(connection, 1) == ["c"]
    assert ingest_sessions.heard(connection, "b", 2) is None
