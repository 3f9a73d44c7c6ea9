"""The agent against a real broker, with a listener in ingest's place."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.client import Agent
from agent.draft import new_boot
from agent.outbox import Outbox, SequenceError
from tests.support.mqtt import listening, wait_for
from tests.support.some_batches import NOW, a_batch
from vehicle.batch import Event, EventBatch, EventKind
from vehicle.codec import MESSAGEPACK
from vehicle.wire import decode_telemetry

pytestmark = pytest.mark.integration

SOON = timedelta(seconds=20)


@contextmanager
def an_agent(broker: tuple[str, int], folder: Path, **changes: Any) -> Iterator[Agent]:
    settings: dict[str, Any] = {
        "client_id": "test-agent",
        "rng": np.random.default_rng(0),
        "resend_after": timedelta(seconds=0.3),
        "longest_delay": timedelta(seconds=0.2),
    }
    outbox = Outbox(folder / "outbox.db")
    try:
        with Agent(outbox, *broker, **(settings | changes)) as agent:
            yield agent
    finally:
        outbox.close()


def test_batches_arrive_as_they_were_and_leave_with_their_stored_ack(broker: tuple[str, int], tmp_path: Path) -> None:
    boot = new_boot()
    batch = a_batch({"hv_soc_pct": [60.25, np.nan]}, vehicle_id="agent-car-1", boot=boot)
    events = EventBatch("agent-car-1", boot, 2, NOW, (Event(NOW, EventKind.DRIVE_START),))
    with listening(broker, "agent-car-1") as listener, an_agent(broker, tmp_path) as agent:
        agent.submit([batch, events])
        assert agent.next_seq("agent-car-1", boot) == 3
        wait_for(lambda: len(listener.messages) >= 3, "a hello, a batch and an event")
        assert not agent.drain(timedelta(0))
        listener.tell_stored("agent-car-1", boot, 2)
        assert agent.drain(SOON)
        assert agent.pending == 0
        assert agent.statistics.samples_acked == 2
    (telemetry,) = (m for m in listener.messages if m.topic == "vsc/v1/agent-car-1/telemetry")
    assert (telemetry.content_type, telemetry.user) == (MESSAGEPACK, {"boot": boot, "seq": "1"})
    arrived = decode_telemetry(telemetry.payload, MESSAGEPACK)
    assert repr(arrived) == repr(batch)


def test_a_batch_without_stored_ack_is_sent_again_also_by_the_next_process(
    broker: tuple[str, int], tmp_path: Path
) -> None:
    batch = a_batch(vehicle_id="agent-car-2", boot=new_boot())
    with listening(broker, "agent-car-2") as listener:
        with an_agent(broker, tmp_path) as agent:
            agent.submit([batch])
            wait_for(lambda: len(listener.batches()) >= 2, "a second copy")
        before = len(listener.batches())
        with an_agent(broker, tmp_path) as agent:
            wait_for(lambda: len(listener.batches()) > before, "a copy from the outbox")
            listener.tell_stored("agent-car-2", batch.boot, 1)
            assert agent.drain(SOON)
    assert len(set(listener.batches())) == 1


def test_nobody_listening_means_not_delivered(broker: tuple[str, int], tmp_path: Path) -> None:
    batch = a_batch(vehicle_id="agent-car-3", boot=new_boot())
    with an_agent(broker, tmp_path, resend_after=timedelta(seconds=60)) as agent:
        agent.submit([batch])
        wait_for(lambda: agent.statistics.refused > 0, "a PUBACK with 0x10")
        with listening(broker, "agent-car-3") as listener:
            wait_for(lambda: len(listener.batches()) > 0, "the batch, long before it would be sent again")
            assert any(m.topic.endswith("/hello") for m in listener.messages)


def test_a_broker_that_comes_later_is_found(broker: tuple[str, int], tmp_path: Path) -> None:
    with an_agent(("127.0.0.1", 1), tmp_path) as agent:
        agent.submit([a_batch(vehicle_id="agent-car-4")])
        assert not agent.drain(timedelta(seconds=0.5))
    with listening(broker, "agent-car-4") as listener, an_agent(broker, tmp_path):
        wait_for(lambda: len(listener.batches()) > 0, "the batch kept in the outbox")


def test_presence_follows_the_connection(broker: tuple[str, int], tmp_path: Path) -> None:
    with listening(broker, "agent-car-5") as listener:
        with an_agent(broker, tmp_path, presence_of="agent-car-5"):
            wait_for(lambda: len(listener.messages) > 0, "online")
        wait_for(lambda: len(listener.messages) > 1, "offline")
    assert [m.payload for m in listener.messages] == [b"online", b"offline"]


def test_a_gap_or_an_oversize_batch_is_refused_at_once(broker: tuple[str, int], tmp_path: Path) -> None:
    with an_agent(broker, tmp_path) as agent:
        with pytest.raises(SequenceError):
            agent.submit([a_batch(seq=2)])
        with pytest.raises(ValueError, match="larger than a message's 60000"):
            agent.submit([a_batch({"cell_voltages_v": np.full((160, 100), 3.7)})])
        assert agent.pending == 0
