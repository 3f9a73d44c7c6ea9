"""Ingest as a process of its own, to be killed: run as a module it ingests, imported it starts that."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import psycopg

from agent.connection import Connection, Message
from config.clock import DataClock, WallClock
from config.logs import configure_logs
from ingest import roster, service
from ingest.inbox import Delivery
from ingest.incoming import Incoming, read
from ingest.preparation import Prepared
from ingest.service import MESSAGES_A_FLUSH, IngestSettings
from ingest.session import Session
from ingest.shard import WHOLE_FLEET, Shard
from ingest.validation import TimeLimits
from ingest.writer import Outcome, Writer
from tests.support.mqtt import wait_for
from vehicle.batch import StoredAck, TelemetryBatch

CHECKOUT = Path(__file__).parents[2]
Variant = Literal["sound", "acks_before_commit", "acks_on_arrival", "dies"]
DEADLY_TO_READ = b"the end"
"""A payload with this in it ends the process that reads it, in variant `dies`."""
DEADLY_TO_STORE = "000000000000dead"
"""The boot whose batches end the process that stores them."""


class IngestProcess:
    """One ingest process after another, for the same broker and database."""

    def __init__(
        self,
        database_url: str,
        broker: tuple[str, int],
        folder: Path,
        *,
        variant: Variant = "sound",
        wall: bool = False,
        shard: Shard = WHOLE_FLEET,
    ) -> None:
        self._log = folder / "ingest.log"
        self._arguments = json.dumps([database_url, *broker, str(folder / "clock"), variant, wall, shard.name])
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0

    def start(self) -> None:
        """Start it, and do not wait."""
        with self._log.open("ab") as log:
            self._started_at = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.ingest_process", self._arguments],
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
            )

    def wait_until_connected(self) -> None:
        """Return once it is connected to the broker for the first time."""
        wait_for(lambda: "no_session_at_broker" in self.log(), "ingest connects")

    def __enter__(self) -> Self:
        """Start it, and wait until it is connected."""
        self.start()
        self.wait_until_connected()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        if self.exit_code is None:
            self.kill()

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end, once it can do so in order; its exit code."""
        assert self._process is not None
        wait_for(lambda: self.has_started, "ingest starts")
        self._process.terminate()
        return self._process.wait(10)

    def terminate(self) -> int:
        """Ask it to end, whatever it is doing; its exit code, which must come within ten seconds."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(10)

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        assert self._process is not None
        return self._process.wait(20)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._process is not None
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Of the latest process."""
        assert self._process is not None
        return self._process.pid

    @property
    def has_started(self) -> bool:
        """Whether the latest process is at work."""
        with self._log.open("rb") as log:
            log.seek(self._started_at)
            return b"ingest_started" in log.read()

    def log(self) -> str:
        """What all of them have logged."""
        return self._log.read_text()


class AckBeforeCommit(service._Service):
    """What must not be: broker and vehicles are told before anything is stored."""

    def _take_and_store(self) -> None:
        taken = self._session.take(MESSAGES_A_FLUSH, self._settings.window)
        flush = taken.flush
        keys = [incoming.key for incoming in flush if incoming.key is not None]
        highest = {(key.vehicle_id, key.boot): key.seq for key in sorted(keys)}
        acks = [(vehicle_id, StoredAck(boot, seq)) for (vehicle_id, boot), seq in highest.items()]
        self._session.settle(taken.deliveries, acks)
        if flush:
            # As slow as a busy disk.
            self._stop.wait(0.05)
            self._store_patiently(flush)


class AckOnArrival(Session):
    """What must not be either: the broker is told at once, as paho does by itself, before anything is stored."""

    def received(self, connection: Connection, message: Message) -> None:
        super().received(connection, message)
        connection.acknowledge(message)
        self._unacknowledged = 0

    def settle(self, deliveries: Sequence[Delivery], acks: Sequence[tuple[str, StoredAck]]) -> None:  # noqa: ARG002 - they were acknowledged
        super().settle([], acks)


def read_or_die(message: Message) -> Incoming:
    """A decoder with a defect."""
    if DEADLY_TO_READ in message.payload:
        os._exit(9)
    return read(message)


class StoresOrDies(Writer):
    """A writer with another one."""

    def store(
        self, connection: psycopg.Connection[Any], flush: Sequence[Incoming], prepared: Prepared | None = None
    ) -> Outcome:
        if any(isinstance(each.content, TelemetryBatch) and each.content.boot == DEADLY_TO_STORE for each in flush):
            os._exit(9)
        return super().store(connection, flush, prepared)


def main(arguments: list[Any]) -> None:
    """Ingest until SIGTERM."""
    database_url, host, port, clock, variant, wall, shard = arguments
    configure_logs("info")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = IngestSettings(
        database_url=database_url,
        mqtt_host=host,
        mqtt_port=port,
        limits=TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=not wall),
        reconnect_within=timedelta(seconds=0.3),
        shard=Shard.parse(shard),
        state=Path(clock).parent / "ingest",
    )
    setattr(roster, "REFRESH_S", 0.5)  # noqa: B010 - mypy knows it for final
    if variant == "acks_on_arrival":
        setattr(service, "Session", AckOnArrival)  # noqa: B010 - no type checker lets a class be replaced
    if variant == "dies":
        setattr(service, "read", read_or_die)  # noqa: B010 - as above
        setattr(service, "Writer", StoresOrDies)  # noqa: B010 - as above
    build = AckBeforeCommit if variant == "acks_before_commit" else service._Service
    build(settings, WallClock() if wall else DataClock(Path(clock)), stop, np.random.default_rng()).run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
