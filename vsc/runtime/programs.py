"""The programs that make up the local stack, as a list, and the addresses that they share."""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from config.settings import CHECKOUT, SHIPPED_RULES, Settings
from vsc.runtime import mosquitto, postgres
from vsc.runtime.mosquitto import Mosquitto
from vsc.runtime.place import as_child
from vsc.runtime.ports import LOOPBACK
from vsc.runtime.postgres import Postgres

PREFECT_DATABASE = "prefect"
A_DAY_A_MINUTE = ("--days", "365", "--speed", "1440")
"""The fleet of `vsc up`: a year that takes six hours."""


@dataclass(frozen=True)
class Program:
    """One supervised program; it is started after all programs of earlier stages answer."""

    name: str
    command: Sequence[str]
    stage: int
    probe: str = ""
    """The address to ask whether it works; empty where running is all that can be seen."""
    stop_signal: signal.Signals = signal.SIGTERM
    folder: Path = CHECKOUT
    endless: bool = True
    """Whether it is started again when it ends by itself with exit code 0, as it always is after a crash."""


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a stack are found; saved so that other commands find the running stack."""

    database_url: str
    mqtt_host: str
    mqtt_port: int
    desk_url: str
    console_url: str
    ingest_url: str
    """Of ingest's metrics and probes."""
    prefect_api_url: str
    clock: Literal["wall", "data"]
    rules: str = str(SHIPPED_RULES)
    """Folder of the rule files."""

    def save(self, file: Path) -> None:
        """Write them for this user only: the database's password is in them."""
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(dataclasses.asdict(self), indent=1))
        fresh.replace(file)

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """Those that were saved, or none."""
        try:
            return cls(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None


def environment(addresses: Addresses, state: Path) -> dict[str, str]:
    """What every program of the stack is told, beside what this process was told."""
    prefect_database = addresses.database_url.rpartition("/")[0] + f"/{PREFECT_DATABASE}"
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "VSC_STATE_DIR": str(state),
        "VSC_DATABASE_URL": addresses.database_url,
        "VSC_MQTT_HOST": addresses.mqtt_host,
        "VSC_MQTT_PORT": str(addresses.mqtt_port),
        "VSC_DESK_URL": addresses.desk_url,
        "VSC_DESK_PORT": addresses.desk_url.rpartition(":")[2],
        "VSC_CONSOLE_PORT": addresses.console_url.rpartition(":")[2],
        "VSC_INGEST_PORT": addresses.ingest_url.rpartition(":")[2],
        "VSC_CLOCK": addresses.clock,
        "VSC_RULES": addresses.rules,
        "PREFECT_API_URL": addresses.prefect_api_url,
        "PREFECT_HOME": str(state / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg" + prefect_database.removeprefix("postgresql"),
        # Both are needed for Prefect to look nothing up: the server's heartbeat and the client's.
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def database_program(server: Postgres) -> Program:
    """The database under supervision."""
    root = Path("/")
    return Program("postgres", server.command(), 0, server.url("postgres"), postgres.STOP_SIGNAL, root)


def broker_program(server: Mosquitto) -> Program:
    """The broker under supervision."""
    address = f"mqtt://{LOOPBACK}:{server.port}"
    return Program("mosquitto", server.command(), 0, address, mosquitto.STOP_SIGNAL, Path("/"))


def services(addresses: Addresses, settings: Settings) -> list[Program]:
    """Our own services; an address in the settings means that the part runs elsewhere."""
    prefect_port = addresses.prefect_api_url.rpartition(":")[2].removesuffix("/api")
    prefect_server = ["-m", "prefect", "server", "start", "--host", LOOPBACK, "--port", prefect_port]
    programs = [
        _python("ingest", ["-m", "vsc", "ingest"], 1, f"{addresses.ingest_url}/ready"),
        _python("desk", ["-m", "vsc", "desk"], 1, f"{addresses.desk_url}/health"),
        _python("console", ["-m", "vsc", "console"], 1, f"{addresses.console_url}/health"),
        _python("prefect", prefect_server, 1, f"{addresses.prefect_api_url}/health"),
        _python("watch", ["-m", "vsc", "watch", "--go-on"], 2),
        _python("flows", ["-m", "vsc", "serve", "--go-on"], 2),
        replace(_python("fleet", ["-m", "vsc", "simulate", *A_DAY_A_MINUTE], 2), endless=False),
    ]
    return [program for program in programs if program.name != "desk" or settings.desk_url is None]


def _python(name: str, arguments: Sequence[str], stage: int, probe: str = "") -> Program:
    return Program(name, as_child([sys.executable, *arguments], None, signal.SIGTERM), stage, probe)
