"""Cars are asked for what was lost on its way, long before they would send it again by themselves."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from agent.client import Agent
from config.clock import DataClock
from ingest.missing import GapLimits
from ingest.service import IngestSettings, run
from ingest.shard import WHOLE_FLEET
from ingest.validation import TimeLimits
from tests.support.fleet_run import a_fleet, register_fleet, sending, sent_rows, stored_rows
from tests.support.mqtt import end_session, wait_for

pytestmark = pytest.mark.integration

SOON = timedelta(seconds=25)
"""Less than an agent waits before it sends again by itself."""
PATIENT = timedelta(seconds=60)


@contextmanager
def ingesting(database_url: str, broker: tuple[str, int], folder: Path, gaps: GapLimits) -> Iterator[None]:
    settings = IngestSettings(
        database_url,
        *broker,
        TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=True),
        reconnect_within=timedelta(seconds=0.3),
        gaps=gaps,
    )
    stop = threading.Event()
    thread = threading.Thread(target=run, args=[settings, DataClock(folder / "clock"), stop, np.random.default_rng(0)])
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def lose(agent: Agent, broker: tuple[str, int]) -> None:
    """Wait until the broker has all messages for sure, then have it forget them."""
    refused, waiting = agent.statistics.refused, agent.pending
    wait_for(lambda: agent.statistics.published == agent.statistics.acked + waiting, "they are on their way")
    time.sleep(0.5)
    end_session(broker, WHOLE_FLEET.client_id)
    assert (agent.statistics.refused, agent.pending) == (refused, waiting)


def test_after_a_lost_session_all_cars_are_asked_at_once(
    database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=3, batches_each=12)
    register_fleet(database_url, batches)
    never = GapLimits(ask_after=timedelta(hours=1))
    with sending(quiet_broker, tmp_path / "outbox.db", resend_after=PATIENT) as agent:
        with ingesting(database_url, quiet_broker, tmp_path, never):
            agent.submit(batches[:9])
            assert agent.drain(SOON)
        agent.submit(batches[9:])
        lose(agent, quiet_broker)
        with ingesting(database_url, quiet_broker, tmp_path, never):
            assert agent.drain(SOON)
        assert agent.statistics.lost_after_ack == 0
    assert stored_rows(database_url) == sent_rows(batches)


def test_a_gap_is_asked_for_and_filled(database_url: str, quiet_broker: tuple[str, int], tmp_path: Path) -> None:
    batches = a_fleet(vehicles=1, batches_each=9)
    register_fleet(database_url, batches)
    limits = GapLimits(ask_after=timedelta(seconds=0.4))
    earlier = a_fleet(vehicles=1, batches_each=1, boot="00000000000000bb")
    with sending(quiet_broker, tmp_path / "outbox.db", resend_after=PATIENT) as agent:
        with ingesting(database_url, quiet_broker, tmp_path, limits):
            agent.submit(earlier)
            assert agent.drain(SOON)
        # The broker takes these for a session that then is gone; nobody has heard of their boot yet.
        agent.submit(batches[:5])
        lose(agent, quiet_broker)
        with ingesting(database_url, quiet_broker, tmp_path, limits):
            agent.submit(batches[5:])
            assert agent.drain(SOON)
        assert agent.statistics.lost_after_ack == 0
    assert stored_rows(database_url) == sent_rows([*earlier, *batches])


def test_what_ingest_has_lost_is_given_up_by_the_car_and_so_by_ingest(
    database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=1, batches_each=9)
    register_fleet(database_url, batches)
    limits = GapLimits(ask_after=timedelta(seconds=0.4))
    with sending(quiet_broker, tmp_path / "outbox.db", resend_after=PATIENT) as agent:
        with ingesting(database_url, quiet_broker, tmp_path, limits):
            agent.submit(batches[:6])
            assert agent.drain(SOON)
        with psycopg.connect(database_url) as connection:
            # An older backup, say.
            connection.execute("DELETE FROM batch_ledger WHERE seq BETWEEN 3 AND 5")
        with ingesting(database_url, quiet_broker, tmp_path, limits):
            agent.submit(batches[6:])
            wait_for(lambda: agent.statistics.lost_after_ack == 3, "the car finds out")
            wait_for(lambda: _dropped(database_url) == [3, 4, 5], "ingest is told")
            wait_for(lambda: _count(database_url, "sequence_gaps") == 0, "the gap ledger is empty")
    assert _count(database_url, "batch_ledger") == 9


def _dropped(database_url: str) -> list[int]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT seq FROM batch_ledger WHERE kind = 'dropped' ORDER BY seq").fetchall()
    return [seq for (seq,) in rows]


def _count(database_url: str, table: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own tables  # type: ignore[arg-type]
    return int(row[0]) if row else 0
