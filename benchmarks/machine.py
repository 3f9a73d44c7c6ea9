"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from vsc.runtime import mosquitto
from vsc.runtime.locate import Binaries


def machine_facts() -> dict[str, Any]:
    """Processor, memory, load and Python's version; no name of the machine and no path."""
    models = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cpus": os.cpu_count(),
        "cpu_model": models[0] if models else platform.machine(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": version("numpy"),
    }


def machine_and_servers(binaries: Binaries) -> dict[str, Any]:
    """The same, and the versions of broker, database and their clients."""
    return {
        **machine_facts(),
        "paho_mqtt": version("paho-mqtt"),
        "psycopg": version("psycopg"),
        "mosquitto": ".".join(map(str, mosquitto.version(binaries.mosquitto))),
        "timescaledb": binaries.timescaledb,
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
