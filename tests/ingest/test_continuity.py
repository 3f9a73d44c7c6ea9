"""Sessions that the broker has lost are incidents, and those of a former layout are ended."""

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import psycopg
import pytest

from config.clock import WallClock
from ingest.condition import Condition
from ingest.continuity import Continuity
from ingest.shard import WHOLE_FLEET, Shard
from storage.connection import connect
from storage.incidents import Incident, IncidentKind, list_incidents
from storage.migrate import migrate
from tests.support.fleet_run import a_fleet, register_fleet, sending, sent_rows, stored_rows
from tests.support.ingest_process import IngestProcess
from tests.support.mqtt import end_session, publish, wait_for
from tests.support.some_batches import a_message
from vsc.runtime.errors import ServerError
from vsc.runtime.server import Server
from vsc.runtime.servers import LocalServers

if TYPE_CHECKING:
    from ingest.session import Session

pytestmark = pytest.mark.integration

LONG = timedelta(seconds=60)


def sessions_in(database_url: str) -> list[str]:
    with psycopg.connect(database_url) as connection:
        return [name for (name,) in connection.execute("SELECT client_id FROM ingest_sessions ORDER BY client_id")]


def incidents_in(database_url: str) -> list[Incident]:
    with psycopg.connect(database_url) as connection:
        return list_incidents(connection)


def test_another_layout_ends_the_sessions_of_the_former(
    database_url: str, quiet_broker: tuple[str, int], tmp_path: Path
) -> None:
    part = Shard(0, 2)
    end_session(quiet_broker, part.client_id)
    (tmp_path / "part").mkdir()
    with IngestProcess(database_url, quiet_broker, tmp_path) as whole:
        wait_for(lambda: sessions_in(database_url) == [WHOLE_FLEET.client_id], "the session is noted")
        assert whole.stop() == 0
    with IngestProcess(database_url, quiet_broker, tmp_path / "part", shard=part) as process:
        wait_for(lambda: sessions_in(database_url) == [part.client_id], "the former one is ended")
        assert process.stop() == 0
    publish(quiet_broker, [a_message()])
    with IngestProcess(database_url, quiet_broker, tmp_path) as whole:
        # Had the broker kept the session, this would not be a new one, and what came meanwhile would be stored.
        wait_for(lambda: whole.log().count("no_session_at_broker") == 2, "a new session")
        wait_for(lambda: sessions_in(database_url) == [WHOLE_FLEET.client_id], "the other one is ended, too")
        assert whole.stop() == 0
        assert whole.log().count('"quarantined": {}') == 2
    # Ended on purpose is not lost.
    assert incidents_in(database_url) == []


class Reached:
    """Stands in for a session that is connected."""

    def __init__(self) -> None:
        self.reachable = Condition(WallClock(), works=True)
        self.opened: list[bool] = []

    def openings(self) -> list[bool]:
        opened, self.opened = self.opened, []
        return opened


def test_after_a_loss_the_vehicles_are_asked_again_as_they_may_come_back_later(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.continuity.ASK_AFTER_S", (0.0, 0.3))
    session = Reached()
    sessions = {"ours": cast("Session", session)}
    continuity = Continuity(("127.0.0.1", 1), WHOLE_FLEET, sessions, np.random.default_rng(0))
    with connect(database_url, autocommit=True) as connection:
        for kept, asked in ((False, False), (True, False), (False, True)):
            session.opened = [kept]
            assert continuity.due()
            assert continuity.tend(connection) == asked
        assert not continuity.due()
        wait_for(continuity.due, "it is time to ask again")
        assert continuity.tend(connection)
        assert not continuity.due()
        assert not continuity.tend(connection)
    assert len(incidents_in(database_url)) == 1


def wipe_and_start(broker: Server, folder: Path) -> None:
    """Crash the broker, take its memory away, and bring it back."""
    broker.kill()
    for kept in folder.glob("*.db*"):
        kept.unlink()
    patience = time.monotonic() + 10
    while True:
        try:
            broker.start()
        except ServerError:
            assert time.monotonic() < patience
            time.sleep(0.1)
        else:
            return


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it does not"])
def test_a_session_that_the_broker_has_lost_is_an_incident_and_its_messages_come_again(
    own_servers: LocalServers,
    open_state: Path,
    tmp_path: Path,
    running: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    url, broker = own_servers.database_url, (own_servers.mqtt_host, own_servers.mqtt_port)
    migrate(url)
    batches = a_fleet(vehicles=2, batches_each=10)
    register_fleet(url, batches)
    with IngestProcess(url, broker, tmp_path) as ingest, sending(broker, tmp_path / "outbox.db") as agent:
        agent.submit(batches[:10])
        assert agent.drain(LONG)
        wait_for(lambda: sessions_in(url) == [WHOLE_FLEET.client_id], "the session is noted")
        assert incidents_in(url) == []
        if not running:
            assert ingest.stop() == 0
        agent.submit(batches[10:])
        wipe_and_start(own_servers.broker, open_state / "mosquitto")
        if not running:
            ingest.start()
        wait_for(lambda: len(incidents_in(url)) == 1, "the incident")
        assert agent.drain(LONG)
        assert stored_rows(url) == sent_rows(batches)
        assert ingest.stop() == 0
    (incident,) = incidents_in(url)
    assert incident.kind is IncidentKind.LOST_SESSION
    assert incident.details == {"client_id": WHOLE_FLEET.client_id}
    assert timedelta(0) < incident.to_at - incident.from_at < timedelta(minutes=1)
