"""A VIN is put everywhere a car can put one, and must be nowhere where operators look."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from agent.connection import Message
from ingest.shard import WHOLE_FLEET
from storage.vehicles import register
from tests.support.mqtt import end_session, publish, wait_for
from tests.support.observed_ingest import ObservedIngest
from tests.support.some_batches import BOOT, NOW, a_batch, a_message
from vehicle.batch import Event, EventBatch, EventKind, Hello
from vehicle.codec import JSON
from vehicle.identity import Vin
from vehicle.topics import Channel, topic
from vehicle.vehicle import VehicleRecord
from vehicle.wire import encode_events, encode_hello

pytestmark = pytest.mark.integration

CANARY = "WAUZZZ8K9BA000017"
CAR = "car-1"


@pytest.fixture
def both_sessions_empty(quiet_broker: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """The broker keeps nothing for ingest, of foreign cars either."""
    foreign = f"{WHOLE_FLEET.client_id}-foreign"
    end_session(quiet_broker, foreign)
    yield quiet_broker
    end_session(quiet_broker, foreign)


def native_messages() -> list[Message]:
    """Good and bad messages of our own protocol, with the VIN in each part that a car fills."""
    good = a_message(a_batch(extra={"x_vin": [CANARY, CANARY]}))
    named = {"v": 1, "vin": CANARY}
    hello = Hello(CAR, BOOT, software=CANARY, catalogue_version=CANARY, sent_at=NOW)
    events = EventBatch(CAR, BOOT, 9, NOW, (Event(NOW, EventKind.ALERT, None, {"vin": CANARY}),))
    return [
        good,
        good._replace(user={**good.user, "vin": CANARY, CANARY: "1"}),
        good._replace(user={"boot": CANARY, "seq": CANARY}),
        good._replace(content_type=CANARY),
        a_message(payload=CANARY.encode(), content_type=JSON),
        a_message(payload=f'{{"v":1,"vehicle_id":"{CANARY}"}}'.encode(), content_type=JSON),
        a_message(payload=str(named).encode()),
        # What the database refuses: it is asked, and its complaint may quote what it was given.
        a_message(a_batch(seq=2, extra={"x": [f"{CANARY}\0", None]})),
        a_message(a_batch(seq=3, columns={"hv_soc_pct": [5e9, 60]}, extra={CANARY: [1, 2]})),
        a_message(a_batch(vehicle_id=CANARY)),
        a_message(a_batch(seq=4), topic=f"vsc/v1/{CANARY}/telemetry"),
        a_message(topic=topic(CAR, Channel.EVENT), payload=encode_events(events), user={}),
        a_message(topic=topic(CAR, Channel.EVENT), payload=encode_events(replace(events, vehicle_id=CANARY)), user={}),
        a_message(topic=topic(CAR, Channel.HELLO), payload=encode_hello(hello), user={}),
        a_message(topic=topic(CANARY, Channel.HELLO), payload=encode_hello(replace(hello, vehicle_id=CANARY)), user={}),
    ]


def foreign_messages() -> list[Message]:
    """The same of the makers' protocols, whose topics carry the VIN."""
    tesla, ovms = f"telemetry/{CANARY}", f"ovms/{CANARY}/{CANARY.lower()}"
    told = {
        f"{tesla}/v/Soc": b'"63.4"',
        f"{tesla}/v/Odometer": b'"no number"',
        f"{tesla}/v/Unknown": f'{{"a":["{CANARY}"]}}'.encode(),
        f"{tesla}/v/{CANARY}": b"1",
        f"{tesla}/{CANARY}": b"1",
        f"{tesla}/alerts/{CANARY}/current": f'{{"Audiences":["{CANARY}"],"StartedAt":"2026-09-01T06:12:03Z"}}'.encode(),
        f"{tesla}/errors/x": f'{{"Body":"{CANARY}","Tags":{{"{CANARY}":"{CANARY}"}}}}'.encode(),
        f"{tesla}/connectivity": f'{{"ConnectionId":"{CANARY}","Status":5}}'.encode(),
        f"telemetry/X{CANARY[1:]}/v/Soc": b"1",
        f"{ovms}/metric/v/b/soc": b"96.3",
        f"{ovms}/metric/v/vin": CANARY.encode(),
        f"{ovms}/metric/{CANARY}": CANARY.encode(),
        f"{ovms}/notify/alert/x": f"car {CANARY}".encode(),
        f"ovms/{CANARY}": b"1",
        f"ovms/else/{CANARY}/metric/v/b/soc": b"1",
    }
    return [Message(address, payload, 1, 1, None, {"vin": CANARY}) for address, payload in told.items()]


def a_car_with_it(database_url: str) -> None:
    assert isinstance(Vin.parse(CANARY), Vin)
    with psycopg.connect(database_url) as connection:
        register(connection, VehicleRecord(CAR, NOW, vin=CANARY, ovms=f"{CANARY}/{CANARY.lower()}"))


def test_no_vin_leaves_the_process_but_into_the_database(
    database_url: str, both_sessions_empty: tuple[str, int], open_state: Path
) -> None:
    a_car_with_it(database_url)
    broker = both_sessions_empty
    with ObservedIngest(database_url, broker, open_state) as ingest:
        wait_for(lambda: ingest.ready()["ready"], "ingest is ready")
        native, foreign = native_messages(), foreign_messages()
        publish(broker, [*native, *foreign])
        wait_for(lambda: ingest.figure('vsc_ingest_received_messages_total{session="native"}') == len(native), "native")
        wait_for(lambda: ingest.figure("vsc_ingest_foreign_messages_total") == len(foreign), "foreign")
        wait_for(lambda: ingest.figure("vsc_ingest_unacknowledged_messages") == 0, "all are stored")
        with psycopg.connect(database_url) as connection:
            # What nobody can look up in public: were it not there, the test would prove nothing.
            kept = connection.execute(
                "SELECT count(*) FROM quarantine WHERE position(%s in payload) > 0", [CANARY.encode()]
            )
            assert (kept.fetchone() or (0,))[0] > 3
            assert connection.execute("SELECT count(*) > 2 FROM telemetry").fetchone() == (True,)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'vsc ing%'"
            )
        wait_for(lambda: "database_away" in ingest.log(), "the database is missed")
        shown = [ingest.get(path).text for path in ("/metrics", "/ready", "/live", f"/{CANARY}")]
        wait_for(lambda: ingest.ready()["ready"], "ingest is ready again")
        assert ingest.stop() == 0
        shown.append(ingest.log())
    assert all(len(text) > 10 for text in shown)
    assert "ingest_stopped" in shown[-1]
    assert [text for text in shown if CANARY.lower() in text.lower()] == []
