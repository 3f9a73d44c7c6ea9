"""What every page needs: a connection to the database, and the stack's present."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import psycopg
from fastapi import Depends, Request

from storage.connection import connect

Connection = psycopg.Connection[Any]


def database(request: Request) -> Iterator[Connection]:
    """A connection for one request.

    Raises:
        DatabaseUnavailableError: if the database cannot be reached.
    """
    with connect(request.app.state.database_url, application="vsc console", autocommit=True) as connection:
        yield connection


def present(request: Request) -> datetime:
    """The stack's present."""
    now: datetime = request.app.state.clock.now()
    return now


Database = Annotated[Connection, Depends(database)]
Present = Annotated[datetime, Depends(present)]
