"""The one way to a database connection.

Errors:
    DatabaseUnavailableError: nobody answers at the address, or not to us.
"""

from datetime import timedelta
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

STATEMENT_TIMEOUT = timedelta(seconds=30)
LOCK_TIMEOUT = timedelta(seconds=5)
IDLE_IN_TRANSACTION_TIMEOUT = timedelta(seconds=60)
CONNECT_TIMEOUT_S = 10
_NETWORK = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "user_timeout": "30000",
}
"""What finds out, at both ends, that the other end has vanished: of an idle connection after a minute, of one that
has sent something after 30 s without TCP acknowledgement."""


class DatabaseUnavailableError(Exception):
    """The database cannot be reached; one line that names the address without its password."""


def connect(
    database_url: str,
    *,
    application: str = "vsc",
    autocommit: bool = False,
    statement_timeout: timedelta = STATEMENT_TIMEOUT,
) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection whose statements, lock waits and idle transactions end by themselves, in UTC.

    Over TCP it also ends, at both ends, when the network has lost the other one.

    Raises:
        DatabaseUnavailableError: if nobody answers at the address, or refuses us.
    """
    limits = {
        "statement_timeout": statement_timeout,
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
    }
    options = [f"-c {name}={limit // timedelta(milliseconds=1)}" for name, limit in limits.items()]
    options += [f"-c tcp_{name}={value}" for name, value in _NETWORK.items()]
    try:
        return psycopg.connect(
            database_url,
            autocommit=autocommit,
            application_name=application,
            connect_timeout=CONNECT_TIMEOUT_S,
            keepalives_idle=_NETWORK["keepalives_idle"],
            keepalives_interval=_NETWORK["keepalives_interval"],
            keepalives_count=_NETWORK["keepalives_count"],
            tcp_user_timeout=_NETWORK["user_timeout"],
            options=" ".join([*options, "-c timezone=UTC"]),
        )
    except psycopg.Error as error:
        raise DatabaseUnavailableError(_one_line(database_url, error)) from None


def _one_line(database_url: str, error: psycopg.Error) -> str:
    try:
        parts = conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:
        return "the database address cannot be read: expected postgresql://user@host:port/database"
    place = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
    reason = str(error).strip().splitlines()[-1].strip()
    return f"no database at {place}: {reason}"
