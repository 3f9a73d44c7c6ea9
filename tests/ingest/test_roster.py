"""Shards as processes of their own: each car is stored by one, also when it is registered later."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.shard import WHOLE_FLEET, Shard
from tests.support.fleet_run import a_fleet, register_fleet, sending, sent_rows, stored_rows
from tests.support.ingest_process import IngestProcess
from tests.support.mqtt import end_session

pytestmark = pytest.mark.integration

LONG = timedelta(seconds=60)
HALVES = (Shard(0, 2), Shard(1, 2))


@pytest.fixture
def broker_of_halves(quiet_broker: tuple[str, int]) -> tuple[str, int]:
    """The shared broker, which keeps nothing for the two shards."""
    for shard in HALVES:
        end_session(quiet_broker, shard.client_id)
    return quiet_broker


def test_two_shards_store_each_its_cars_and_all_of_them_once(
    database_url: str, broker_of_halves: tuple[str, int], tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=12, batches_each=20)
    register_fleet(database_url, batches)
    processes = []
    with ExitStack() as stack:
        for shard in HALVES:
            folder = tmp_path / str(shard.index)
            folder.mkdir()
            processes.append(stack.enter_context(IngestProcess(database_url, broker_of_halves, folder, shard=shard)))
        whole = IngestProcess(database_url, broker_of_halves, tmp_path, shard=WHOLE_FLEET)
        whole.start()
        assert whole.wait() != 0
        assert "shard 0/2 is stored by another process: vsc ingest 0/2" in whole.log()
        with sending(broker_of_halves, tmp_path / "outbox.db") as agent:
            agent.submit(batches)
            assert agent.drain(LONG)
        assert stored_rows(database_url) == sent_rows(batches)
        assert [process.stop() for process in processes] == [0, 0]
    for shard, process in zip(HALVES, processes, strict=True):
        mine = sum(shard.has(batch.vehicle_id) for batch in batches)
        assert 0 < mine < len(batches)
        assert f'"batches": {mine}, ' in process.log()


def test_a_car_registered_later_is_heard_then_and_has_lost_nothing(
    database_url: str, broker_of_halves: tuple[str, int], tmp_path: Path
) -> None:
    (batch,) = a_fleet(vehicles=1, batches_each=1)
    mine = replace(batch, vehicle_id=next(f"car-{n}" for n in range(9) if HALVES[0].has(f"car-{n}")))
    with (
        IngestProcess(database_url, broker_of_halves, tmp_path, shard=HALVES[0]),
        sending(broker_of_halves, tmp_path / "outbox.db") as agent,
    ):
        agent.submit([mine])
        assert not agent.drain(timedelta(seconds=1))
        register_fleet(database_url, [mine])
        assert agent.drain(LONG)
        assert stored_rows(database_url) == sent_rows([mine])
