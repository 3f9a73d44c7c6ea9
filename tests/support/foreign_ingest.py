"""Foreign cars as they really are: mosquitto_pub publishes, `vsc ingest` takes, the database shows."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from storage.vehicles import forget, register
from tests.support.mqtt import wait_for
from vehicle.vehicle import VehicleRecord

VIN = "5YJ3E1EA8KF000001"
OVMS_NAME = "alice@example.org/LEAF01"
PROBE = "3VWFE21C04M000001"


@dataclass(frozen=True)
class Bench:
    """A database, a broker, a program that publishes, and a folder for one stack."""

    database_url: str
    broker: tuple[str, int]
    mosquitto_pub: Path
    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What `vsc` is told."""
        host, port = self.broker
        return {
            **os.environ,
            "VSC_STATE_DIR": str(self.folder),
            "VSC_DATABASE_URL": self.database_url,
            "VSC_MQTT_HOST": host,
            "VSC_MQTT_PORT": str(port),
            **more,
        }

    def vsc(self, *arguments: str) -> None:
        """Run one command to its end."""
        subprocess.run([sys.executable, "-m", "vsc", *arguments], env=self.environment(), check=True, timeout=30)

    def publish(self, topic: str, payload: str, *options: str) -> None:
        """Publish one message, by default with QoS 1."""
        host, port = self.broker
        qos = () if "-q" in options else ("-q", "1")
        content = ("-m", payload) if payload else ("-n",)
        command = [self.mosquitto_pub, "-h", host, "-p", str(port), *qos, "-t", topic, *options, *content]
        subprocess.run(command, check=True, timeout=10)

    def register(self) -> None:
        """Make a Tesla and a car with OVMS known."""
        with psycopg.connect(self.database_url) as connection:
            register(connection, VehicleRecord("tesla-1", datetime.now(UTC), vin=VIN))
            register(connection, VehicleRecord("leaf-1", datetime.now(UTC), ovms=OVMS_NAME))

    def forget(self, *vehicle_ids: str) -> None:
        """Erase cars."""
        with psycopg.connect(self.database_url) as connection:
            for vehicle_id in vehicle_ids:
                forget(connection, vehicle_id)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query).fetchall()

    def wait_for_rows(self, table: str, count: int) -> None:
        """Wait until a table has as many rows."""
        wait_for(lambda: len(self.ask(f"SELECT FROM {table}")) >= count, f"{count} rows of {table}")

    @contextmanager
    def ingest(self, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """A running `vsc ingest` that hears foreign cars."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "vsc", "ingest"], env=self.environment(**settings), stderr=log, stdout=log
            )
        try:
            before = len(self.ask("SELECT FROM quarantine"))
            probes = iter(range(1000))
            wait_for(lambda: self._is_heard(process, f"{before}.{next(probes)}", before), "ingest hears foreign cars")
            yield process
        finally:
            process.kill()
            process.wait()

    def log(self) -> str:
        """What ingest has logged."""
        return (self.folder / "log").read_text()

    def _is_heard(self, process: subprocess.Popen[bytes], number: str, before: int) -> bool:
        assert process.poll() is None, self.log()
        time.sleep(0.2)
        self.publish(f"telemetry/{PROBE}/v/Soc", number, "-q", "0")
        return len(self.ask("SELECT FROM quarantine")) > before
