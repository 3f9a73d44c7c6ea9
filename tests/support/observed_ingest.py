"""``vsc ingest`` as a user starts it, with its logs at their most talkative, and what it tells over HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx

from config.settings import CHECKOUT
from tests.support.mqtt import wait_for


class ObservedIngest:
    """One process, watched."""

    def __init__(self, database_url: str, broker: tuple[str, int], state: Path, **settings: str) -> None:
        self._log = state / "ingest.log"
        self._environment = {
            **os.environ,
            "VSC_STATE_DIR": str(state),
            "VSC_DATABASE_URL": database_url,
            "VSC_MQTT_HOST": broker[0],
            "VSC_MQTT_PORT": str(broker[1]),
            "VSC_LOG_LEVEL": "debug",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it, and wait until it is at work."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vsc", "ingest"], stdout=log, stderr=log, cwd=CHECKOUT, env=self._environment
            )
        wait_for(lambda: "ingest_started" in self.log() or self._process_ended(), "ingest starts")
        assert not self._process_ended(), self.log()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _process_ended(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None

    def stop(self) -> int:
        """End it in order; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(12)

    def log(self) -> str:
        """What it has written."""
        return self._log.read_text()

    @property
    def address(self) -> str:
        """Where it says that it can be watched."""
        lines = [json.loads(line) for line in self.log().splitlines() if '"observation"' in line]
        return str(lines[0]["address"])

    def get(self, path: str) -> httpx.Response:
        """One answer."""
        return httpx.get(f"{self.address}{path}", timeout=10, trust_env=False)

    def ready(self) -> dict[str, Any]:
        """What it says of its readiness."""
        answer = self.get("/ready")
        body: dict[str, Any] = answer.json()
        assert answer.status_code == (200 if body["ready"] else 503)
        return body

    def figure(self, sample: str) -> float:
        """One sample of the metrics, written as Prometheus does."""
        lines = self.get("/metrics").raise_for_status().text.splitlines()
        found = [float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{sample} ", f"{sample}{{"))]
        assert found, sample
        return sum(found)
