"""The schema: numbered SQL files, applied in order, each in a transaction of its own, each once.

With TimescaleDB on the server the table of samples becomes a hypertable, whenever the extension comes; without
it the table stays a plain one and everything else works the same.

Errors:
    MigrationError: the database's schema is not one that the files describe.
"""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog

from storage.connection import connect

MIGRATIONS: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x7673636D
"""A number of our own: whoever holds this advisory lock migrates."""
_TIMEOUT: Final = timedelta(hours=1)
_LOG = structlog.get_logger()


class MigrationError(Exception):
    """An applied migration is not among the files, or not as it was; one line that names it."""


def migrate(database_url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the schema up to date and return the names of the files that were applied now.

    Safe to call twice, and from several processes at once: the others wait and find nothing to do.

    Raises:
        DatabaseUnavailableError: if the database cannot be reached.
        MigrationError: if the schema is not one that the files describe.
    """
    with connect(database_url, application="vsc migrate", autocommit=True, statement_timeout=_TIMEOUT) as connection:
        connection.execute("SET lock_timeout = 0")
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        applied = _apply(connection, folder)
        _make_hypertable(connection)
        return applied


def applied_migrations(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The applied files and their SHA-256 in hex, in order; empty before the first."""
    if connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,):
        return {}
    return dict(connection.execute("SELECT name, sha256 FROM schema_migrations ORDER BY name").fetchall())


def _apply(connection: psycopg.Connection[Any], folder: Path) -> list[str]:
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.sql"))}
    before = applied_migrations(connection)
    for name, digest in before.items():
        if name not in files:
            raise MigrationError(f"the database has migration {name}, which this version does not know")
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise MigrationError(f"migration {name} was changed after it was applied")
    pending = [name for name in files if name not in before]
    if before and pending and pending[0] < max(before):
        raise MigrationError(f"migration {pending[0]} comes before one that is applied")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        "name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    for name in pending:
        with connection.transaction():
            connection.execute(files[name].decode())
            connection.execute(
                "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)",
                [name, hashlib.sha256(files[name]).hexdigest()],
            )
    return pending


def _make_hypertable(connection: psycopg.Connection[Any]) -> None:
    """Put the samples into chunks of seven days where the server has TimescaleDB loaded."""
    available = connection.execute(
        # The setting exists exactly when the server was started with the extension's library.
        "SELECT count(*) = 1 AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL "
        "FROM pg_available_extensions WHERE name = 'timescaledb'"
    ).fetchone()
    if available != (True,):
        _LOG.warning("timescaledb_missing", consequence="the table telemetry is a plain one")
        return
    connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    connection.execute(
        "SELECT create_hypertable('telemetry', by_range('time', INTERVAL '7 days'), "
        "create_default_indexes => false, migrate_data => true) WHERE NOT EXISTS "
        "(SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = 'telemetry')"
    )
