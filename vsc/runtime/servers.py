"""A database and a broker of one's own, for as long as a ``with`` block lasts: for tests and short jobs."""

import fcntl
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from vsc.runtime.errors import AlreadyRunningError
from vsc.runtime.locate import Binaries, locate
from vsc.runtime.mosquitto import STOP_SIGNAL as BROKER_STOP
from vsc.runtime.mosquitto import Mosquitto
from vsc.runtime.place import open_folder
from vsc.runtime.ports import LOOPBACK, Ports
from vsc.runtime.postgres import DATABASE, Postgres, ensure_database
from vsc.runtime.postgres import STOP_SIGNAL as DATABASE_STOP
from vsc.runtime.progress import Report, silent
from vsc.runtime.server import Server, database_answers, port_answers


class LocalServers:
    """A database and a broker on free loopback ports whose data lies in `state`; started by ``with``.

    The data stays: the same folder can be used again, also after anything was killed.
    """

    def __init__(
        self,
        state: Path,
        *,
        root: Path | None = None,
        binaries: Binaries | None = None,
        report: Report = silent,
    ) -> None:
        """Use `binaries`, or those that are found on the machine or fetched into `root` (default: `state`)."""
        self._state = state
        self._root = root or state
        self._binaries = binaries
        self._report = report
        self._lock: IO[str] | None = None
        self._running: list[Server] = []
        self.database_url = ""
        self.mqtt_host = LOOPBACK
        self.mqtt_port = 0

    def __enter__(self) -> Self:
        """Find or fetch the programs, start both servers and create the database."""
        open_folder(self._state)
        self._lock = hold_lock(self._state / "servers.lock")
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both servers."""
        self.close()

    def url(self, database: str) -> str:
        """The address of another database on the same server."""
        return self._postgres.url(database)

    def close(self) -> None:
        """Stop both servers; the data stays."""
        for server in self._running:
            server.stop()
        self._running.clear()
        if self._lock is not None:
            self._lock.close()

    def _start(self) -> None:
        binaries = self._binaries or locate(self._root, self._report)
        ports = Ports(self._state / "ports.json")
        logs = open_folder(self._state / "logs")
        self._postgres = Postgres(
            binaries.postgres_bin,
            self._state / "postgres",
            ports.claim("postgres"),
            timescaledb=binaries.timescaledb,
        )
        self._mosquitto = Mosquitto(binaries.mosquitto, self._state / "mosquitto", ports.claim("mosquitto"))
        self._postgres.prepare()
        self._mosquitto.prepare()
        self.database_url = self._postgres.url()
        self.mqtt_port = self._mosquitto.port
        self.database = Server(
            *(
                "PostgreSQL",
                self._postgres.command(),
                lambda: database_answers(self._postgres.url("postgres")),
            ),
            *(logs / "postgres.log", DATABASE_STOP),
        )
        self.broker = Server(
            *("Mosquitto", self._mosquitto.command(), lambda: port_answers(self._mosquitto.port)),
            *(logs / "mosquitto.log", BROKER_STOP),
        )
        self._running += [self.broker, self.database]
        self.database.start()
        self.broker.start()
        ensure_database(self.database_url, DATABASE)


def hold_lock(file: Path) -> IO[str]:
    """Hold `file` locked until the returned handle is closed or this process ends, however it ends.

    Raises:
        AlreadyRunningError: if another process holds it.
    """
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyRunningError(f"another command is using {file.parent}: wait for it or end it") from None
    return lock
