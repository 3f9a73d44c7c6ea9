"""What an ingest process tells over HTTP, and that being asked never costs it anything."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.clock import WallClock
from config.settings import Settings
from ingest.condition import Condition
from ingest.observation import _MOST_REQUESTS, Observation
from ingest.shard import Shard
from storage.migrate import migrate
from tests.support.fleet_run import a_fleet, register_fleet, sending
from tests.support.mqtt import wait_for
from tests.support.observed_ingest import ObservedIngest
from vsc.commands.services import _observation_port
from vsc.context import Context
from vsc.runtime import probes
from vsc.runtime.servers import LocalServers

LONG = timedelta(seconds=30)


class Watched:
    """An observation in this process, of nothing but two conditions and a loop."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.parts = {name: Condition(WallClock(), works=True) for name in ("broker", "database")}
        self.silent = timedelta(0)
        self.observation = Observation(self.registry, self.parts, lambda: self.silent, "0/1")
        self.observation.start(0)

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        """One answer."""
        return httpx.request(method, f"http://127.0.0.1:{self.observation.port}{path}", trust_env=False, timeout=10)


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.observation.stop()


def test_what_is_missing_is_named_with_the_time(watched: Watched) -> None:
    assert watched.get("/ready").json()["missing"] == []
    watched.parts["database"].tell(works=False)
    answer = watched.get("/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database"])
    since = datetime.fromisoformat(answer.json()["parts"]["database"]["since"])
    assert abs(since - WallClock().now()) < timedelta(seconds=5)
    watched.parts["database"].tell(works=True)
    assert watched.get("/ready").status_code == HTTPStatus.OK


def test_status_shows_the_address_and_what_is_missing(watched: Watched) -> None:
    address = f"http://127.0.0.1:{watched.observation.port}"
    assert probes.ask(f"{address}/ready") == probes.Health(works=True, detail=address)
    watched.parts["database"].tell(works=False)
    health = probes.ask(f"{address}/ready")
    assert not health.works
    assert health.detail.startswith(f"{address} answers HTTP 503")
    assert '"missing": ["database"]' in health.detail


@pytest.mark.parametrize(("silent_s", "live", "ready"), [(1, 200, 200), (60, 200, 503), (100, 503, 503)])
def test_a_loop_that_does_not_turn_is_first_not_ready_and_then_not_live(
    watched: Watched, silent_s: int, live: int, ready: int
) -> None:
    watched.silent = timedelta(seconds=silent_s)
    assert (watched.get("/live").status_code, watched.get("/ready").status_code) == (live, ready)


def test_only_questions_are_answered(watched: Watched) -> None:
    assert watched.get("/").status_code == HTTPStatus.NOT_FOUND
    assert watched.get("/ready", "POST").status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert watched.get("/metrics", "DELETE").status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_defect_in_the_figures_is_an_answer_and_the_next_question_is_heard(watched: Watched) -> None:
    class Broken(Collector):
        broken = False

        def collect(self) -> Iterator[GaugeMetricFamily]:
            if self.broken:
                raise RuntimeError("broken")
            yield GaugeMetricFamily("whole", "Whole.", 1)

    broken = Broken()
    watched.registry.register(broken)
    broken.broken = True
    assert watched.get("/metrics").status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    broken.broken = False
    assert "whole 1.0" in watched.get("/metrics").text


def test_too_many_at_once_are_hung_up_on_and_silent_ones_after_a_while(watched: Watched) -> None:
    address = ("127.0.0.1", watched.observation.port)
    idle = [socket.create_connection(address, timeout=10) for _ in range(_MOST_REQUESTS)]
    with socket.create_connection(address, timeout=10) as one_more:
        assert one_more.recv(1) == b""
    assert [each.recv(1) for each in idle] == [b""] * len(idle)
    assert watched.get("/live").status_code == HTTPStatus.OK
    for each in idle:
        each.close()


def test_a_port_that_cannot_be_had_is_no_error(watched: Watched) -> None:
    other = Observation(watched.registry, watched.parts, lambda: watched.silent, "0/1")
    assert watched.observation.port is not None
    for port in (watched.observation.port, 65_536):
        other.start(port)
        assert other.port is None
    other.stop()


def test_each_shard_has_its_own_port(tmp_path: Path) -> None:
    fixed = Context(Settings(state_dir=tmp_path / "state", ingest_port=9464))
    free = Context(Settings(state_dir=tmp_path / "state", ingest_port=0))
    shards = [Shard(index, 3) for index in range(3)]
    assert [_observation_port(fixed, shard) for shard in shards] == [9464, 9465, 9466]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Context, "state", tmp_path)
        ports = [_observation_port(free, shard) for shard in shards]
        assert len({*ports}) == 3
        assert [_observation_port(free, shard) for shard in shards] == ports


@pytest.mark.integration
def test_a_real_process_tells_what_it_does(
    database_url: str, quiet_broker: tuple[str, int], open_state: Path, tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=2, batches_each=20)
    register_fleet(database_url, batches)
    with ObservedIngest(database_url, quiet_broker, open_state) as ingest:
        wait_for(lambda: ingest.ready()["ready"], "ingest is ready")
        with sending(quiet_broker, tmp_path / "outbox.db") as agent:
            agent.submit(batches)
            assert agent.drain(LONG)
        assert ingest.figure("vsc_ingest_batches_total") == 40
        assert ingest.figure("vsc_ingest_samples_total") == 200
        assert ingest.figure('vsc_ingest_info{shard="0/1"}') == 1
        assert ingest.figure("vsc_ingest_lag_seconds_count") == 40
        assert ingest.figure("vsc_ingest_quarantined_total") == 0
        assert ingest.figure("vsc_ingest_flush_messages_count") >= 1
        wait_for(lambda: ingest.figure("vsc_ingest_unacknowledged_messages") == 0, "all is acknowledged")
        assert ingest.get("/live").status_code == HTTPStatus.OK
        assert ingest.stop() == 0


@pytest.mark.integration
def test_clients_that_say_nothing_do_not_keep_ingest_from_storing(
    database_url: str, quiet_broker: tuple[str, int], open_state: Path, tmp_path: Path
) -> None:
    batches = a_fleet(vehicles=2, batches_each=20)
    register_fleet(database_url, batches)
    with ObservedIngest(database_url, quiet_broker, open_state) as ingest:
        host, port = ingest.address.removeprefix("http://").split(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(50)]
        stop = threading.Event()
        asking = threading.Thread(target=_ask_until, args=[ingest, stop])
        asking.start()
        with sending(quiet_broker, tmp_path / "outbox.db") as agent:
            agent.submit(batches)
            assert agent.drain(timedelta(seconds=5))
        stop.set()
        asking.join()
        for each in silent:
            each.close()
        wait_for(lambda: ingest.get("/live").status_code == HTTPStatus.OK, "it can be watched again")
        assert ingest.stop() == 0


def _ask_until(ingest: ObservedIngest, stop: threading.Event) -> None:
    while not stop.wait(0.01):
        try:
            ingest.get("/metrics")
        except httpx.HTTPError:
            continue


@pytest.mark.integration
def test_a_server_that_is_away_is_named_until_it_is_back(own_servers: LocalServers, open_state: Path) -> None:
    migrate(own_servers.database_url)
    broker = own_servers.mqtt_host, own_servers.mqtt_port
    state = open_state / "ingest"
    state.mkdir()
    with ObservedIngest(own_servers.database_url, broker, state, VSC_CLOCK="wall") as ingest:
        wait_for(lambda: ingest.ready()["ready"], "ingest is ready")
        own_servers.broker.kill()
        wait_for(lambda: "broker" in ingest.ready()["missing"], "the broker is missed")
        own_servers.broker.start()
        own_servers.database.kill()
        # Nothing arrives, and yet it is noticed.
        wait_for(lambda: ingest.ready()["missing"] == ["database"], "only the database is missed", 25)
        assert ingest.figure('vsc_ingest_works{part="database"}') == 0
        assert ingest.figure('vsc_ingest_away_seconds{part="database"}') > 0
        assert ingest.get("/live").status_code == HTTPStatus.OK
        _start_again(own_servers)
        wait_for(lambda: ingest.ready()["ready"], "ingest is ready again", 40)
        assert ingest.figure("vsc_ingest_works") == len(ingest.ready()["parts"]) - 1
        assert ingest.stop() == 0


def _start_again(servers: LocalServers) -> None:
    """Bring a crashed database back, as soon as the children of the dead one let it."""

    def started() -> bool:
        try:
            servers.database.start()
        except Exception:  # noqa: BLE001 - any failure to start is one to try again after
            return False
        return True

    wait_for(started, "the database starts")


@pytest.mark.integration
def test_a_port_that_is_taken_does_not_keep_ingest_from_starting(
    database_url: str, quiet_broker: tuple[str, int], open_state: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken: dict[str, Any] = {"VSC_INGEST_PORT": str(other.getsockname()[1])}
        with ObservedIngest(database_url, quiet_broker, open_state, **taken) as ingest:
            events = [json.loads(line)["event"] for line in ingest.log().splitlines()]
            assert "observation_impossible" in events
            assert ingest.stop() == 0
