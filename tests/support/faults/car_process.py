"""Cars as a process of their own, to be killed between a sample and its PUBACK: run as a module it drives."""

import json
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from agent.client import Agent
from agent.outbox import Outbox
from config.logs import configure_logs
from tests.support.faults.load import a_message, boot_of, vehicle_id
from tests.support.ingest_process import CHECKOUT

_PATIENCE = timedelta(seconds=60)


class CarProcess:
    """Some cars whose agent keeps its outbox on disk; each start is a power-up, with boots of its own."""

    def __init__(self, broker: tuple[str, int], folder: Path, seed: int, *, vehicles: int, messages: int) -> None:
        """Prepare; `messages` are sent after each power-up unless it ends before."""
        self.outbox = folder / "car.db"
        self.power_up = 0
        self._log = folder / "car.log"
        self._arguments = [*broker, str(self.outbox), seed, vehicles, messages]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Power up."""
        self.power_up += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.support.faults.car_process",
                    json.dumps([*self._arguments, self.power_up]),
                ],
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
            )

    def kill(self) -> None:
        """End it as a loss of power would."""
        assert self._process is not None
        assert self._process.poll() is None, f"the cars ended by themselves: {self.log()[-500:]}"
        self._process.kill()
        self._process.wait()

    def finish(self) -> int:
        """Wait until everything that was kept is acknowledged; the exit code."""
        assert self._process is not None
        return self._process.wait(_PATIENCE.total_seconds())

    def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        """What all of them have logged."""
        return self._log.read_text()


def main(arguments: list[Any]) -> None:
    """Drive, then wait until everything is acknowledged."""
    host, port, file, seed, vehicles, messages, power_up = arguments
    configure_logs("warning")
    outbox = Outbox(Path(file))
    agent = Agent(
        outbox,
        host,
        port,
        client_id="car-process",
        rng=np.random.default_rng(power_up),
        resend_after=timedelta(seconds=2),
        longest_delay=timedelta(seconds=0.3),
    )
    with agent:
        for number in range(messages):
            vehicle = number % vehicles
            seq = agent.next_seq(vehicle_id(vehicle), boot_of(seed, power_up))
            agent.submit([a_message(seed, vehicle, power_up, seq)])
            time.sleep(0.002)
        code = 0 if agent.drain(_PATIENCE) else 1
    outbox.close()
    sys.exit(code)


if __name__ == "__main__":
    # Only SIGKILL ends it here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(json.loads(sys.argv[1]))
