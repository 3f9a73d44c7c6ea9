"""How the fleet is divided, and that two processes never store the same part or divide it in two ways."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.roster import subscriptions
from ingest.session import WHOLE_FLEET_TOPICS
from ingest.shard import MOST_SHARDS, WHOLE_FLEET, Shard, ShardHeldError, hold
from storage.connection import connect


@pytest.mark.parametrize(("text", "shard"), [("0/1", WHOLE_FLEET), ("0/2", Shard(0, 2)), ("3/4", Shard(3, 4))])
def test_a_shard_is_read(text: str, shard: Shard) -> None:
    assert Shard.parse(text) == shard
    assert shard.name == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1", "written I/N"),
        ("", "written I/N"),
        ("-1/2", "written I/N"),
        ("1/2/3", "written I/N"),
        ("one/two", "written I/N"),
        ("\u0661/\u0662", "written I/N"),
        ("0/0", "1 to 1000 shards, not 0"),
        (f"0/{MOST_SHARDS + 1}", "1 to 1000 shards, not 1001"),
        ("2/2", "the last is 1/2, not 2/2"),
    ],
)
def test_what_is_no_shard_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Shard.parse(text)


@given(st.text(min_size=1, max_size=64), st.integers(1, 50))
def test_every_vehicle_belongs_to_one_shard(vehicle_id: str, count: int) -> None:
    assert sum(Shard(index, count).has(vehicle_id) for index in range(count)) == 1


def test_vehicles_are_divided_evenly_and_as_in_every_other_process() -> None:
    sizes = Counter(next(i for i in range(4) if Shard(i, 4).has(f"car-{n}")) for n in range(4000))
    assert min(sizes.values()) > 900
    # Computed with sha256sum: were it to change, a car's batches would be stored by two writers.
    assert [next(i for i in range(4) if Shard(i, 4).has(f"car-{n}")) for n in range(4)] == [1, 3, 1, 2]


def test_a_part_of_the_fleet_listens_to_its_vehicles_and_the_whole_to_all() -> None:
    ids = [f"car-{n}" for n in range(100)]
    parts = [subscriptions(Shard(index, 2), ids) for index in range(2)]
    assert {len(part) % 3 for part in parts} == {0}
    assert sorted(name for part in parts for name, _ in part) == sorted(
        f"vsc/v1/{vehicle_id}/{channel}" for vehicle_id in ids for channel in ("telemetry", "event", "hello")
    )
    assert tuple(subscriptions(WHOLE_FLEET, ids)) == WHOLE_FLEET_TOPICS


@contextmanager
def holding(database_url: str, shard: Shard) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, application=shard.application, autocommit=True) as connection:
        hold(connection, shard)
        yield connection


@pytest.mark.integration
def test_a_held_shard_and_another_layout_are_refused_by_name(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.shard._PATIENCE_S", 0.2)
    with holding(database_url, Shard(0, 2)), holding(database_url, Shard(1, 2)):
        assert "shard 1/2 is stored by another process: vsc ingest 1/2, process" in refusal(database_url, Shard(1, 2))
        assert refusal(database_url, WHOLE_FLEET).startswith("shard 0/2 is stored by another process: vsc ingest 0/2")
        assert refusal(database_url, WHOLE_FLEET).endswith("shard 0/1 would divide the fleet in another way")
    with holding(database_url, WHOLE_FLEET):
        assert refusal(database_url, Shard(1, 3)).startswith("shard 0/1 is stored by another process: vsc ingest 0/1")


def refusal(database_url: str, shard: Shard) -> str:
    with pytest.raises(ShardHeldError) as caught, holding(database_url, shard):
        pass
    return str(caught.value)


@pytest.mark.integration
def test_a_shard_is_free_when_its_holder_has_ended(database_url: str) -> None:
    with holding(database_url, WHOLE_FLEET):
        pass
    with holding(database_url, Shard(0, 2)):
        pass


@pytest.mark.integration
def test_another_database_has_shards_of_its_own(database_url: str) -> None:
    elsewhere = database_url.rpartition("/")[0] + "/postgres"
    with holding(elsewhere, WHOLE_FLEET), holding(database_url, Shard(0, 2)):
        pass
