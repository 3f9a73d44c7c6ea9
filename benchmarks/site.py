"""Servers of the benchmark's own: a private broker and database, and a fresh migrated database for every run."""

import itertools
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
from psycopg import sql

from storage.connection import connect
from storage.migrate import migrate
from storage.vehicles import register
from vehicle.vehicle import VehicleRecord
from vsc.runtime.locate import Binaries
from vsc.runtime.servers import LocalServers

_TEMPLATE = "bench_template"


class Site:
    """A broker and a database server that nobody else uses, in a folder that goes with them."""

    def __init__(self, binaries: Binaries, vehicles: Sequence[str], present: datetime) -> None:
        self._binaries = binaries
        self._vehicles = vehicles
        self._present = present
        self._numbers = itertools.count(1)
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Start both, and migrate a template with the vehicles registered."""
        with ExitStack() as opening:
            self.folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="vsc-bench-")))
            self.folder.chmod(0o755)
            self._servers = opening.enter_context(LocalServers(self.folder / "servers", binaries=self._binaries))
            self._make_template()
            self._closing = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both and remove their data."""
        self._closing.close()

    @property
    def broker(self) -> tuple[str, int]:
        """Host and port."""
        return self._servers.mqtt_host, self._servers.mqtt_port

    @property
    def broker_process(self) -> psutil.Process:
        """The broker's process."""
        pid = self._servers.broker.pid
        if pid is None:
            raise RuntimeError("the broker has ended")
        return psutil.Process(pid)

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The address of a migrated database without a row, for as long as a ``with`` block lasts."""
        name = f"bench_{next(self._numbers)}"
        with psycopg.connect(self._servers.database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_TEMPLATE))
            )
            connection.execute("CHECKPOINT")
        try:
            yield self._servers.url(name)
        finally:
            with psycopg.connect(self._servers.database_url, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def broker_held(self) -> Iterator[None]:
        """The broker does nothing for as long as a ``with`` block lasts."""
        pid = self.broker_process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _make_template(self) -> None:
        with psycopg.connect(self._servers.database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        migrate(self._servers.url(_TEMPLATE))
        with connect(self._servers.url(_TEMPLATE)) as connection:
            for vehicle_id in self._vehicles:
                register(connection, VehicleRecord(vehicle_id, self._present))
        # A template is copied only when nobody is in it, and TimescaleDB's scheduler enters what lets it in.
        with psycopg.connect(self._servers.database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(_TEMPLATE)))
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [_TEMPLATE]
            )
