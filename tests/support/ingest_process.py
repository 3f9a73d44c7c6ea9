"""Ingest as a process of its own, to be killed: run as a module it ingests, imported it starts that."""

import json
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np

from config.clock import DataClock
from config.logs import configure_logs
from ingest.service import MESSAGES_A_FLUSH, IngestSettings, _Service
from ingest.validation import TimeLimits
from tests.support.mqtt import wait_for
from vehicle.batch import StoredAck

CHECKOUT = Path(__file__).parents[2]


class IngestProcess:
    """One ingest process after another, for the same broker and database."""

    def __init__(
        self, database_url: str, broker: tuple[str, int], folder: Path, *, acks_before_commit: bool = False
    ) -> None:
        self._log = folder / "ingest.log"
        self._arguments = json.dumps([database_url, *broker, str(folder / "clock"), acks_before_commit])
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def start(self) -> None:
        """Start it, and do not wait."""
        self._starts += 1
        with self._log.open("ab") as log:
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
        wait_for(lambda: self.log().count("ingest_started") == self._starts, "ingest starts")
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

    def log(self) -> str:
        """What all of them have logged."""
        return self._log.read_text()


class AckBeforeCommit(_Service):
    """What must not be: broker and vehicles are told before anything is stored."""

    def _take_and_store(self) -> None:
        deliveries = self._session.take(MESSAGES_A_FLUSH, self._settings.window)
        flush = [delivery.incoming for delivery in deliveries]
        keys = [incoming.key for incoming in flush if incoming.key is not None]
        highest = {(key.vehicle_id, key.boot): key.seq for key in sorted(keys)}
        acks = [(vehicle_id, StoredAck(boot, seq)) for (vehicle_id, boot), seq in highest.items()]
        self._session.settle(deliveries, acks)
        if flush:
            # As slow as a busy disk.
            self._stop.wait(0.05)
            self._store_patiently(flush)


def main(arguments: list[Any]) -> None:
    """Ingest until SIGTERM."""
    database_url, host, port, clock, acks_before_commit = arguments
    configure_logs("info")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = IngestSettings(
        database_url=database_url,
        mqtt_host=host,
        mqtt_port=port,
        limits=TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=True),
        reconnect_within=timedelta(seconds=0.3),
    )
    service = AckBeforeCommit if acks_before_commit else _Service
    service(settings, DataClock(Path(clock)), stop, np.random.default_rng()).run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
