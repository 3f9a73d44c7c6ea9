"""Ingest's session at a real broker: what is kept, what is redelivered, and that no ack hits another message."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from agent.connection import Connection, Message
from ingest.inbox import Delivery
from ingest.session import BrokerTooOldError, Session
from tests.support.mqtt import listening, publish, wait_for
from tests.support.some_batches import BOOT, a_batch, a_message
from vehicle.batch import StoredAck
from vehicle.topics import Channel, topic
from vehicle.wire import decode_ack
from vsc.runtime.servers import LocalServers

pytestmark = pytest.mark.integration

WINDOW = timedelta(seconds=0.2)
CLIENT_ID = "vsc-ingest-0-of-1"


@contextmanager
def a_session(broker: tuple[str, int], receive_maximum: int = 500, **changes: Any) -> Iterator[Session]:
    session = Session(
        *broker,
        client_id=CLIENT_ID,
        rng=np.random.default_rng(0),
        receive_maximum=receive_maximum,
        longest_delay=timedelta(seconds=0.2),
        **changes,
    )
    session.start()
    try:
        wait_for(lambda: session.statistics.lost_sessions > 0 or session._current is not None, "connected")
        time.sleep(0.1)
        yield session
        session.check()
    finally:
        session.stop()


def messages(*seqs: int) -> list[Message]:
    return [a_message(a_batch(seq=seq)) for seq in seqs]


def take(session: Session, count: int) -> list[Delivery]:
    """Exactly so many deliveries."""
    taken: list[Delivery] = []

    def enough() -> bool:
        taken.extend(session.take(count - len(taken), WINDOW).deliveries)
        return len(taken) >= count

    wait_for(enough, f"{count} deliveries")
    return taken


def seqs(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.message.user["seq"]) for delivery in deliveries]


def test_what_was_not_settled_comes_again_and_what_was_does_not(quiet_broker: tuple[str, int]) -> None:
    with a_session(quiet_broker) as session:
        publish(quiet_broker, messages(1, 2, 3, 4))
        deliveries = take(session, 4)
        session.settle([deliveries[0], deliveries[2]], [])
    publish(quiet_broker, messages(5))
    with a_session(quiet_broker) as session:
        assert seqs(take(session, 3)) == [2, 4, 5]
        assert session.take(1, WINDOW).deliveries == []
        assert session.statistics.lost_sessions == 0


def test_no_more_than_receive_maximum_are_delivered_unsettled(quiet_broker: tuple[str, int]) -> None:
    with a_session(quiet_broker, receive_maximum=5) as session:
        publish(quiet_broker, messages(*range(1, 21)))
        seen: list[int] = []
        while len(seen) < 20:
            deliveries = take(session, 5)
            assert session.take(1, WINDOW).deliveries == []
            session.settle(deliveries, [])
            seen += seqs(deliveries)
        assert seen == list(range(1, 21))


def test_of_large_payloads_no_more_are_read_before_half_of_them_are_taken(
    quiet_broker: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = messages(*range(1, 101))
    monkeypatch.setattr("ingest.session.MOST_BYTES", 5 * len(sent[-1].payload))
    with a_session(quiet_broker) as session:
        publish(quiet_broker, sent)
        wait_for(lambda: session.statistics.pauses > 0, "reading is paused")
        deliveries = take(session, 100)
        session.settle(deliveries, [])
        pauses = session.statistics.pauses
        publish(quiet_broker, messages(*range(101, 301)))
        wait_for(lambda: session.statistics.pauses > pauses, "reading is paused again")
        time.sleep(0.3)
        assert 5 < session.backlog().messages < 200
        while len(deliveries) < 300:
            fresh = take(session, 1)
            session.settle(fresh, [])
            deliveries += fresh
        assert seqs(deliveries) == list(range(1, 301))
        assert session.statistics.lost_sessions == 1


def test_a_long_pause_ends_the_connection_and_loses_nothing(
    quiet_broker: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.session.MOST_BYTES", 0)
    monkeypatch.setattr("ingest.session._KEEPALIVE_S", 1)
    with a_session(quiet_broker) as session:
        publish(quiet_broker, messages(1, 2))
        wait_for(lambda: session.openings() == [True], "connected again")
        monkeypatch.setattr("ingest.session.MOST_BYTES", 1000)
        assert seqs(take(session, 2)) == [1, 2]


def test_what_is_told_reaches_the_vehicle_after_its_stored_ack(quiet_broker: tuple[str, int]) -> None:
    channels = (Channel.ACK, Channel.COMMAND)
    with a_session(quiet_broker) as session, listening(quiet_broker, "car-1", channels=channels) as car:
        session.settle([], [("car-1", StoredAck(BOOT, 7))])
        session.tell(topic("car-1", Channel.COMMAND), b"please", "text/plain")
        wait_for(lambda: len(car.messages) == 2, "both")
    told = car.messages[1]
    assert (told.topic, told.payload, told.content_type) == ("vsc/v1/car-1/command", b"please", "text/plain")


def test_a_session_listens_to_what_it_is_told_to_follow(quiet_broker: tuple[str, int]) -> None:
    with a_session(quiet_broker, subscriptions=[(topic("car-1", Channel.TELEMETRY), 1)]) as session:
        first, second = a_message(a_batch(seq=1)), a_message(a_batch(seq=2, vehicle_id="car-2"))
        publish(quiet_broker, [second, first])
        assert seqs(take(session, 1)) == [1]
        # More than fit into one packet.
        others = [(topic(f"other-{number}", Channel.TELEMETRY), 1) for number in range(250)]
        session.follow([(topic("car-2", Channel.TELEMETRY), 1), *others])
        time.sleep(0.3)
        last = a_message(a_batch(seq=3, vehicle_id="other-249"))
        publish(quiet_broker, [first, second, last])
        assert seqs(take(session, 2)) == [2, 3]
        assert session.take(1, WINDOW).deliveries == []
        assert session.openings() == [False]


def test_stored_acks_reach_the_vehicle(quiet_broker: tuple[str, int]) -> None:
    ack = StoredAck(BOOT, 7, ((2, 3),))
    with a_session(quiet_broker) as session, listening(quiet_broker, "car-1", channels=(Channel.ACK,)) as car:
        session.settle([], [("car-1", ack)])
        wait_for(lambda: bool(car.messages), "the stored-ack")
    assert decode_ack(car.messages[0].payload, car.messages[0].content_type) == ack


def test_a_late_ack_after_a_lost_session_acknowledges_no_other_message(
    own_servers: LocalServers, open_state: Path
) -> None:
    broker = own_servers.mqtt_host, own_servers.mqtt_port
    with a_session(broker) as session:
        publish(broker, messages(1))
        (old,) = take(session, 1)
        own_servers.broker.kill()
        for kept in (open_state / "mosquitto").glob("*.db*"):
            kept.unlink()
        own_servers.broker.start()
        wait_for(lambda: session.statistics.lost_sessions == 2, "a new session")
        time.sleep(0.1)
        publish(broker, messages(2))
        (new,) = take(session, 1)
        # Without this the test would show nothing: the packet id means another message now.
        assert new.message.packet_id == old.message.packet_id
        session.settle([old], [])
        wait_for(lambda: session.statistics.stale_acks == 1, "the late ack is seen to be one")
    with a_session(broker) as session:
        assert seqs(take(session, 1)) == [2]


def test_what_waits_is_forgotten_with_its_connection_and_comes_again(
    own_servers: LocalServers,
) -> None:
    broker = own_servers.mqtt_host, own_servers.mqtt_port
    with a_session(broker) as session:
        publish(broker, messages(1, 2))
        wait_for(lambda: session.statistics.received == 2, "both have arrived")
        own_servers.broker.stop()
        wait_for(lambda: session._current is None, "the connection is lost")
        assert session.take(1, WINDOW).deliveries == []
        own_servers.broker.start()
        assert seqs(take(session, 2)) == [1, 2]
        assert session.statistics.lost_sessions == 1


def test_a_broker_that_sends_more_than_it_may_is_hung_up_on() -> None:
    session = Session("127.0.0.1", 1, client_id=CLIENT_ID, rng=np.random.default_rng(0), receive_maximum=2)
    connection = HungUp()
    for message in messages(1, 2, 3):
        session.received(cast("Connection", connection), message)
    assert connection.closed
    assert session.statistics.overflows == 1
    session.received(cast("Connection", connection), a_message())
    assert session.statistics.overflows == 1
    assert seqs(session.take(5, WINDOW).deliveries) == [1, 2]


def test_messages_that_nobody_keeps_are_dropped_when_too_many_wait() -> None:
    session = Session("127.0.0.1", 1, client_id=CLIENT_ID, rng=np.random.default_rng(0), receive_maximum=2)
    connection = HungUp()
    for seq in (1, 2, 3):
        session.received(cast("Connection", connection), a_message(a_batch(seq=seq), qos=0))
    session.received(cast("Connection", connection), a_message(a_batch(seq=4)))
    assert not connection.closed
    assert session.statistics.dropped == 1
    assert session.backlog().unacknowledged == 1
    assert seqs(session.take(5, WINDOW).deliveries) == [1, 2, 4]


class HungUp:
    """Stands in for a connection."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ("mosquitto version 2.0.11", True),
        ("mosquitto version 2.0.13", False),
        ("mosquitto version 2.1.2", False),
        ("another broker 1.0", False),
    ],
)
def test_a_broker_that_breaks_receive_maximum_is_refused(version: str, refused: bool) -> None:  # noqa: FBT001 - a parameter of the test
    session = Session("127.0.0.1", 1, client_id=CLIENT_ID, rng=np.random.default_rng(0))
    message = a_message(topic="$SYS/broker/version", payload=version.encode(), qos=0)
    session.received(cast("Connection", HungUp()), message)
    if refused:
        with pytest.raises(BrokerTooOldError, match=r"2\.0\.11"):
            session.check()
    else:
        session.check()
