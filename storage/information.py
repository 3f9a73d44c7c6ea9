"""What a database is made of, for ``vsc db info``."""

from dataclasses import dataclass
from typing import Any

import psycopg

from storage.connection import connect
from storage.migrate import applied_migrations


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """A database server and the schema in it."""

    server_version: str
    timescaledb_version: str | None
    """None: the extension is not installed, the table of samples is a plain one."""
    timescaledb_license: str | None
    """``apache``, or ``timescale`` for the Community edition."""
    hypertables: tuple[str, ...]
    migrations: tuple[str, ...]
    """Applied files, in order."""
    table_bytes: dict[str, int]
    """Size of every table with its indexes, largest first."""


def database_info(database_url: str) -> DatabaseInfo:
    """Look at the database behind an address.

    Raises:
        DatabaseUnavailableError: if the database cannot be reached.
    """
    with connect(database_url, application="vsc db info") as connection:
        version = _value(connection, "SELECT max(extversion) FROM pg_extension WHERE extname = 'timescaledb'")
        hypertables: list[tuple[str, int]] = []
        if version is not None:
            hypertables = connection.execute(
                "SELECT hypertable_name, hypertable_size(format('%I.%I', hypertable_schema, hypertable_name)) "
                "FROM timescaledb_information.hypertables ORDER BY 1"
            ).fetchall()
        sizes = dict(
            connection.execute(
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
        )
        sizes.update(hypertables)
        return DatabaseInfo(
            server_version=_value(connection, "SHOW server_version"),
            timescaledb_version=version,
            timescaledb_license=_value(connection, "SELECT current_setting('timescaledb.license', true)"),
            hypertables=tuple(name for name, _size in hypertables),
            migrations=tuple(applied_migrations(connection)),
            table_bytes=dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0]))),
        )


def _value(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]
