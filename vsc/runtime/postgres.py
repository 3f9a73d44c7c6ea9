"""The database server: its data folder and its command line."""

import re
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from vsc.runtime.errors import ServerError
from vsc.runtime.place import as_child, open_folder, server_account
from vsc.runtime.ports import LOOPBACK

OLDEST_MAJOR = 15

ROLE = "vsc"
DATABASE = "vsc"

STOP_SIGNAL = signal.SIGINT
"""PostgreSQL's fast shutdown: open transactions roll back, nothing committed is lost."""

STOP_TIMEOUT_S = 15

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The private packages leave out LLVM, which is larger than all the rest.
    "jit": "off",
    # Nothing replicates from here; without it COPY into new tables writes less.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_worker_processes": "32",
    # A query over a hypertable locks each of its chunks.
    "max_locks_per_transaction": "256",
    "log_checkpoints": "off",
}

TIMESCALEDB_SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
}


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL server on the loopback interface, its data and its password kept in `folder`."""

    programs: Path
    folder: Path
    port: int
    timescaledb: bool

    def prepare(self) -> None:
        """Make the data folder, whole or not at all, and clear what a crashed server left behind.

        Raises:
            ServerError: if initdb fails.
        """
        open_folder(self.folder, server_account())
        if not self._data.exists():
            self._initialise()
        self._clear_stale_lock()

    def command(self) -> list[str]:
        """The command line that runs the server in the foreground."""
        settings = {**SETTINGS, "port": str(self.port), **(TIMESCALEDB_SETTINGS if self.timescaledb else {})}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = [str(self.programs / "postgres"), "-D", str(self._data), *options]
        return as_child(server, server_account(), STOP_SIGNAL)

    def url(self, database: str = DATABASE) -> str:
        """The address of one database, with the password."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{ROLE}:{password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _initialise(self) -> None:
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        account = server_account()
        if account is not None:
            shutil.chown(self._password_file, account.uid, account.gid)
        initdb = [
            *(str(self.programs / "initdb"), "-D", str(unfinished), "-U", ROLE),
            *("--auth=scram-sha-256", f"--pwfile={self._password_file}"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions"),
        ]
        command = as_child(initdb, account, signal.SIGTERM)
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if made.returncode != 0:
            complaint = (made.stderr.strip() or made.stdout.strip()).splitlines()
            raise ServerError(f"initdb failed: {complaint[0] if complaint else made.returncode}")
        unfinished.rename(self._data)

    def _clear_stale_lock(self) -> None:
        """Remove a dead server's lock file whose process number now belongs to another program."""
        lock = self._data / "postmaster.pid"
        try:
            holder = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
            if Path(holder.cwd()) == self._data:
                # A server whose supervisor was killed is on its way out.
                holder.wait(STOP_TIMEOUT_S)
        except FileNotFoundError:
            return
        except psutil.TimeoutExpired:
            raise ServerError(f"process {holder.pid} still serves {self._data}: end it") from None
        except (ValueError, psutil.Error):
            pass
        lock.unlink(missing_ok=True)


def ensure_database(url: str, database: str) -> None:
    """Create `database` on the server that `url` names, unless it is there."""
    with psycopg.connect(url, dbname="postgres", autocommit=True, connect_timeout=5) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def major_version(programs: Path) -> int:
    """The major release of the PostgreSQL programs in a folder; 0 if they do not run."""
    try:
        shown = subprocess.run(
            [str(programs / "postgres"), "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except OSError:
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", shown)
    return int(found.group(1)) if found else 0
