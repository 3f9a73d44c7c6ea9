"""Whether a part of the stack works: asked of the part itself, not of its process."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import psycopg

TIMEOUT_S = 3

MOST_OF_A_COMPLAINT = 200
"""Characters of what a part that does not work says."""

MQTT_CONNECT = b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x05\x00\x00\x00"
"""MQTT 5: clean start, keep-alive 5 s, no properties, the broker chooses the client id."""

MQTT_CONNACK_TYPE = 0x20
MQTT_DISCONNECT = b"\xe0\x00"


@dataclass(frozen=True)
class Health:
    """The answer of one part: whether it does its work, and what it said."""

    works: bool
    detail: str


def ask(address: str) -> Health:
    """Ask the part at `address`: ``postgresql://``, ``mqtt://`` or ``http://``."""
    try:
        return Health(works=True, detail=_QUESTIONS[urlsplit(address).scheme](address))
    except (OSError, psycopg.Error, httpx.HTTPError) as error:
        complaint = str(error).strip().splitlines() or [type(error).__name__]
        return Health(works=False, detail=complaint[0])


def _ask_database(address: str) -> str:
    with psycopg.connect(address, connect_timeout=TIMEOUT_S) as connection:
        server = connection.execute("SHOW server_version").fetchone()
        extension = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    plain = f"PostgreSQL {str(server[0]).split()[0]}" if server else "PostgreSQL"
    return f"{plain}, TimescaleDB {extension[0]}" if extension else f"{plain}, without TimescaleDB"


def _ask_broker(address: str) -> str:
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 1883), timeout=TIMEOUT_S) as connection:
        connection.sendall(MQTT_CONNECT)
        answer = connection.recv(1)
        if answer != bytes([MQTT_CONNACK_TYPE]):
            raise ConnectionError("it does not answer as an MQTT broker")
        connection.sendall(MQTT_DISCONNECT)
    return "accepts MQTT 5"


def _ask_web(address: str) -> str:
    answer = httpx.get(address, timeout=TIMEOUT_S, trust_env=False)
    place = f"{answer.url.scheme}://{answer.url.netloc.decode()}"
    if not answer.is_success:
        raise ConnectionError(f"{place} answers HTTP {answer.status_code} {answer.text[:MOST_OF_A_COMPLAINT]}")
    return place


_QUESTIONS: dict[str, Callable[[str], str]] = {
    "postgresql": _ask_database,
    "mqtt": _ask_broker,
    "http": _ask_web,
    "https": _ask_web,
}
