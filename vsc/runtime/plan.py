"""What is to run here, and where every part will be found."""

from pathlib import Path

from config.settings import Settings
from vsc.runtime.locate import locate
from vsc.runtime.mosquitto import Mosquitto
from vsc.runtime.ports import LOOPBACK, Ports
from vsc.runtime.postgres import Postgres
from vsc.runtime.programs import Addresses, Program, broker_program, database_program
from vsc.runtime.progress import Report


def plan_servers(settings: Settings, state: Path, root: Path, report: Report) -> tuple[list[Program], Addresses]:
    """The database and the broker that must run here, ready to be started, and the addresses of all parts.

    A server or a booking desk that the settings name is used where it is. Data goes to `state`, programs that
    must be fetched go to `root`.

    Raises:
        StackError: if a server cannot be had, or a port that the settings fix is taken.
    """
    ports = Ports(state / "ports.json")
    servers: list[Program] = []
    database_url, mqtt_host, mqtt_port = settings.database_url, settings.mqtt_host, settings.mqtt_port
    if database_url is None or mqtt_host is None:
        binaries = locate(root, report)
        report(f"Using {binaries.source}", 1)
        if database_url is None:
            port = ports.claim("postgres")
            database = Postgres(binaries.postgres_bin, state / "postgres", port, timescaledb=binaries.timescaledb)
            database.prepare()
            database_url = database.url()
            servers.append(database_program(database))
        if mqtt_host is None:
            mqtt_host, mqtt_port = LOOPBACK, ports.claim("mosquitto")
            broker = Mosquitto(binaries.mosquitto, state / "mosquitto", mqtt_port)
            broker.prepare()
            servers.append(broker_program(broker))
    addresses = Addresses(
        database_url=database_url,
        mqtt_host=mqtt_host,
        mqtt_port=mqtt_port,
        desk_url=settings.desk_url or f"http://{LOOPBACK}:{ports.claim('desk', settings.desk_port)}",
        console_url=f"http://{LOOPBACK}:{ports.claim('console', settings.console_port)}",
        ingest_url=f"http://{LOOPBACK}:{ports.claim('ingest', settings.ingest_port)}",
        prefect_api_url=f"http://{LOOPBACK}:{ports.claim('prefect')}/api",
        clock=settings.clock,
        rules=str(settings.rules),
    )
    return servers, addresses
