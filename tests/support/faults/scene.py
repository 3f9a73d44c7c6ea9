"""One run of a scenario: servers, ingest under a supervisor, a fleet that sends, and the oracle at the end."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import psycopg

from storage.ledger import BatchKey
from storage.vehicles import register
from tests.support.faults.database_place import at_place, place_of
from tests.support.faults.fleet import Fleet
from tests.support.faults.load import VEHICLES, vehicle_id
from tests.support.faults.memory import Memory
from tests.support.faults.oracle import judge
from tests.support.faults.outages import forget_sessions, start_again
from tests.support.faults.proxy import Fate, Proxy
from tests.support.faults.report import ReportLine
from tests.support.faults.sent import Sent
from tests.support.faults.supervisor import Supervisor
from tests.support.faults.verdict import Verdict
from tests.support.fleet_run import START
from tests.support.ingest_process import IngestProcess, Variant
from vehicle.moment import moment
from vehicle.vehicle import VehicleRecord
from vsc.runtime.server import Server
from vsc.runtime.servers import LocalServers

PATIENCE: Final = timedelta(seconds=120)
MOST_MB: Final = 300.0
"""guarantees.md, 2.7: what ingest may hold."""
MOST_RECOVERY: Final = timedelta(seconds=10)
MOST_STOP_S: Final = 10.0


class Scene:
    """A run, from `with` to its end; `verdict` ends the sending and judges."""

    def __init__(
        self,
        servers: LocalServers,
        database_url: str,
        folder: Path,
        *,
        scenario: str,
        seed: int,
        record: Callable[[ReportLine], None],
        variant: Variant = "sound",
        database_fate: Callable[[], Fate] | None = None,
        ingest_fate: Callable[[], Fate] | None = None,
        fleet_fate: Callable[[], Fate] | None = None,
        recovery: timedelta = MOST_RECOVERY,
        **agent_settings: Any,
    ) -> None:
        """Prepare a run on servers that hold nothing yet.

        Args:
            servers: Broker and database, which the run may kill.
            database_url: A migrated, empty database; the fleet is registered here.
            folder: For outboxes, clock and logs.
            scenario: Number and name, for the report.
            seed: Of everything that is left to chance.
            record: Takes the report's line.
            variant: Whether ingest is the product's or one of those that must fail.
            database_fate: Puts a proxy between ingest and the database; what becomes of each connection.
            ingest_fate: The same between ingest and the broker.
            fleet_fate: The same between the agents and the broker.
            recovery: How long after a fault the next message must be stored.
            agent_settings: For `Fleet`.
        """
        self.servers = servers
        self.database_url = database_url
        self.folder = folder
        self.seed = seed
        self.broker = servers.mqtt_host, servers.mqtt_port
        self.rng = np.random.default_rng(seed)
        self.sent = Sent()
        self._most_recovery_s = recovery.total_seconds()
        self.recoveries: list[float] = []
        self.restarts = 0
        """Of servers and other processes that the scenario itself ends; ingest's are the supervisor's."""
        self._scenario = scenario
        self._record = record
        self._began = time.monotonic()
        self.proxies: list[Proxy] = []
        database = place_of(database_url)
        database_at_proxy = at_place(database_url, self._through(database, database_fate))
        ingest_broker = self._through(self.broker, ingest_fate)
        self.ingest = Supervisor(IngestProcess(database_at_proxy, ingest_broker, folder, variant=variant))
        self.fleet = Fleet(self._through(self.broker, fleet_fate), folder, self.sent, **agent_settings)
        self.memory = Memory({"ingest": lambda: self.ingest.pid, "broker": lambda: servers.broker.pid})
        self._stack = ExitStack()
        self._sending = ExitStack()

    def __enter__(self) -> Self:
        """Start everything."""
        register_fleet(self.database_url)
        with ExitStack() as stack:
            for proxy in self.proxies:
                stack.enter_context(proxy)
            stack.enter_context(self.ingest)
            stack.enter_context(self.memory)
            self._sending.enter_context(self.fleet)
            stack.push(self._sending)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._stack.close()

    def after_fault(self, timeout: timedelta = PATIENCE) -> None:
        """Wait until a message is stored again after a fault, and note how long that took."""
        began = time.monotonic()
        # What was under way when the fault struck is not yet a recovery.
        time.sleep(0.05)
        pending = self.fleet.pending
        if pending:
            assert self.fleet.wait_for_pending(pending - 1, timeout), "nothing is stored after the fault"
            self.recoveries.append(time.monotonic() - began)

    def crash(self, server: Server, how: Callable[[Server], None] = Server.kill) -> None:
        """Crash a server and bring it back."""
        how(server)
        self.restarts += 1
        start_again(server)

    def wipe_broker(self) -> None:
        """Crash the broker and bring it back without what it had kept."""
        self.servers.broker.kill()
        forget_sessions(self.servers)
        self.restarts += 1
        start_again(self.servers.broker)

    def wait_until_still(self, quiet: timedelta = timedelta(seconds=3)) -> None:
        """Return once nothing more has been stored for a while: for runs in which acknowledgements mean nothing."""
        stored, since = -1, time.monotonic()
        while time.monotonic() - since < quiet.total_seconds():
            now = self.stored_messages()
            if now != stored:
                stored, since = now, time.monotonic()
            time.sleep(0.2)

    def stored_messages(self) -> int:
        """How many ids the database has now."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM batch_ledger").fetchone()
        assert row is not None
        return int(row[0])

    def verdict(
        self, *, drain: timedelta = PATIENCE, note: str = "", also_acked: set[BatchKey] | None = None
    ) -> Verdict:
        """Wait for the last acknowledgement, end everything in order, and judge; the line is recorded.

        Args:
            drain: How long to wait.
            note: For the report's line.
            also_acked: Ids that others than the fleet were told are safe.
        """
        self.fleet.drain(drain)
        seconds = time.monotonic() - self._began
        pending = self.fleet.pending
        self._sending.close()
        troubles = self._troubles()
        if dropped := sum(agent.statistics.dropped for agent in self.fleet.agents):
            troubles.append(f"{dropped} messages were given up")
        acked = self.fleet.acked() | (also_acked or set())
        judgement = judge(self.database_url, self.sent, acked)
        line = ReportLine(
            self._scenario,
            self.seed,
            judgement.published,
            judgement.acked,
            judgement.stored,
            judgement.quarantined,
            len(judgement.lost),
            judgement.duplicated,
            self.restarts + self.ingest.restarts,
            seconds,
            max(self.recoveries, default=None),
            max(self.memory.most_mb.values()),
            note,
        )
        self._record(line)
        return Verdict(judgement, line, pending, troubles)

    def _through(self, server: tuple[str, int], fate: Callable[[], Fate] | None) -> tuple[str, int]:
        if fate is None:
            return server
        self.proxies.append(Proxy(server, fate))
        return self.proxies[-1].address

    def _troubles(self) -> list[str]:
        """End ingest, and say what else has gone wrong."""
        code = self.ingest.take_down()
        found = [f"ingest ended with {code} when asked to"] if code else []
        found += [f"ingest ended unasked with {code}" for code in self.ingest.unasked]
        found += [
            f"{name} is gone"
            for name, server in (("broker", self.servers.broker), ("database", self.servers.database))
            if server.pid is None
        ]
        if self.memory.most_mb["ingest"] > MOST_MB:
            found.append(f"ingest held {self.memory.most_mb['ingest']:.0f} MB")
        slow = [seconds for seconds in self.recoveries if seconds > self._most_recovery_s]
        return found + ([f"recovered only after {max(slow):.1f} s"] if slow else [])


def register_fleet(database_url: str, vehicles: int = VEHICLES) -> None:
    """Make the cars of the standard load known."""
    with psycopg.connect(database_url) as connection:
        for vehicle in range(vehicles):
            register(connection, VehicleRecord(vehicle_id(vehicle), registered_at()))


def registered_at() -> datetime:
    """When the fleet was made known: before its first sample."""
    return moment(START)
