"""Cars with every trouble there is: what they sampled is stored, once."""

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from simulator.delivery import FleetSender
from simulator.fleet import build_fleet
from simulator.publish import Pace, publish_fleet
from simulator.troubles import Troubles
from tests.support.fleet_run import register_fleet, sending, sent_rows, stored_rows
from tests.support.observed_ingest import ObservedIngest
from vehicle.batch import TelemetryBatch

pytestmark = pytest.mark.integration

NAME = "stored once"
COUNTS = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM batch_ledger), (SELECT count(*) FROM quarantine)"


def nothing_as_null(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A list of nothing but nulls is stored as null."""
    return tuple(None if isinstance(one, list) and not any(value is not None for value in one) else one for one in row)


def test_all_that_was_sampled_is_stored_once(
    database_url: str, quiet_broker: tuple[str, int], open_state: Path, tmp_path: Path
) -> None:
    fleet = build_fleet(3, 4, 1, date(2026, 9, 1), [], troubles=Troubles.ALL)
    days = [samples for index in range(fleet.days) for _, samples in fleet.day(index)]
    sender = FleetSender(NAME, fleet.start, fleet.troubles)
    deliveries = [one for index in range(fleet.days) for one in sender.deliveries(index, fleet.day(index))]
    deliveries += sender.rest()
    batches = [one.batch for one in deliveries if not one.again]
    telemetry = [one for one in batches if isinstance(one, TelemetryBatch)]
    register_fleet(database_url, telemetry)
    with (
        ObservedIngest(database_url, quiet_broker, open_state, VSC_CLOCK="data") as ingest,
        sending(quiet_broker, tmp_path / "outbox.db", client_id="troubled") as agent,
    ):
        publish_fleet(agent, fleet, NAME, Pace(None), lambda _: None)
        duplicates, statistics = ingest.figure("vsc_ingest_duplicates_total"), agent.statistics
        publish_fleet(agent, fleet, NAME, Pace(None), lambda _: None)
        assert agent.statistics == statistics, "a second run has nothing left to send"
    stored = stored_rows(database_url)
    assert len(stored) == sum(len(one.times) for one in days)
    assert sorted(stored, key=repr) == sorted((nothing_as_null(row) for row in sent_rows(telemetry)), key=repr)
    assert duplicates >= sum(one.again for one in deliveries) > 5
    assert (statistics.dropped, statistics.lost_after_ack) == (0, 0)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(COUNTS).fetchone()
    assert rows == (sum(len(one.events) for one in days), len(batches), 0)
