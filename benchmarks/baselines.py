"""What ingest is measured against: COPY of the same rows alone, and the stock client that only acknowledges."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import psycopg
from psycopg import sql

from benchmarks.cars import SIGNALS, Publication
from benchmarks.process import Measured
from benchmarks.publisher import publish_backlog
from benchmarks.site import Site

TOPIC: Final = "vsb/v1/{}/telemetry"
"""As long as ingest's topics, which take nothing from it."""
_PIECE_BYTES: Final = 1024 * 1024
_LONGEST_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class StockDrain:
    """How the stock client did."""

    seconds: float
    cpu_s: float
    messages: int


def copied_rows(database_url: str) -> bytes:
    """All rows of a database in COPY's binary format, in the order in which ingest stored them."""
    with psycopg.connect(database_url) as connection, connection.cursor().copy(_copy("TO STDOUT")) as copy:
        return b"".join(copy)


def time_copy(database_url: str, rows: bytes, *, chunk_at: datetime | None = None) -> float:
    """Seconds from the beginning of one COPY of `rows` into the empty hypertable to its commit.

    Args:
        database_url: Of a migrated database without a row.
        rows: What `copied_rows` gave.
        chunk_at: Make the chunk of this time before; None: COPY makes it. A chunk made in the same transaction is
            not written to the log where `wal_level` is minimal, which no lasting stream of rows can have.
    """
    view = memoryview(rows)
    with psycopg.connect(database_url) as connection:
        if chunk_at is not None:
            connection.execute(
                "INSERT INTO telemetry (vehicle_id, time, received_at) VALUES ('nobody', %s, %s)", [chunk_at, chunk_at]
            )
            connection.execute("DELETE FROM telemetry")
            connection.commit()
        began = time.monotonic()
        with connection.cursor().copy(_copy("FROM STDIN")) as copy:
            for start in range(0, len(view), _PIECE_BYTES):
                copy.write(view[start : start + _PIECE_BYTES])
        connection.commit()
        return time.monotonic() - began


def make_stock_session(site: Site) -> None:
    """Have the broker keep for the stock client what is published to `TOPIC`."""
    with _stock_client(site, 0) as client:
        client.wait(_LONGEST_S)


def drain_with_stock_client(site: Site, backlog: Sequence[Publication]) -> StockDrain:
    """Publish a backlog and have the stock client take it from its session.

    The clock runs from the moment when the broker, held while the client starts, is let go, to the last
    acknowledgement; the client's handshake is in it, its start is not.
    """
    publish_backlog(site.broker, (replace(each, topic=TOPIC.format(each.vehicle_id)) for each in backlog))
    with ExitStack() as running:
        with site.broker_held():
            client = running.enter_context(_stock_client(site, len(backlog)))
            client.wait_until_connected(site.broker[1])
            before_s = client.cpu_s()
            began = time.monotonic()
        client.wait(_LONGEST_S)
    result = json.loads((site.folder / "stock.log").read_text())
    return StockDrain(result["finished_at"] - began, result["cpu_s"] - before_s, len(backlog))


def _copy(direction: str) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, ["vehicle_id", "time", "received_at", *SIGNALS]))
    what = sql.SQL("(SELECT {} FROM telemetry)" if direction.startswith("TO") else "telemetry ({})").format(names)
    return sql.SQL("COPY {} {} (FORMAT binary)").format(what, sql.SQL(direction))


def _stock_client(site: Site, messages: int) -> Measured:
    host, port = site.broker
    return Measured(
        ["benchmarks.stock_client", host, str(port), TOPIC.format("+"), str(messages)], {}, site.folder / "stock.log"
    )
