"""How servers crash, forget and come back."""

import signal
import time

from vsc.runtime.errors import ServerError
from vsc.runtime.server import Server
from vsc.runtime.servers import LocalServers


def crash_of_database(servers: LocalServers, *, immediate: bool) -> None:
    """Crash the database as `pg_ctl -m immediate` does, or its first process alone, which its children notice."""
    if immediate:
        servers.database._end(signal.SIGQUIT)
    else:
        servers.database.kill()


def start_again(server: Server) -> None:
    """Start a crashed server, as soon as the children of the dead one let it."""
    patience = time.monotonic() + 20
    while True:
        try:
            server.start()
        except ServerError:
            assert time.monotonic() < patience
            time.sleep(0.1)
        else:
            return


def forget_sessions(servers: LocalServers) -> None:
    """Delete what a broker that does not run has kept."""
    (servers._state / "mosquitto" / "mosquitto.db").unlink(missing_ok=True)
