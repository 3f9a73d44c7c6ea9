"""Free ports of the loopback interface, the same ones again after a restart."""

import fcntl
import json
import random
import socket
from pathlib import Path

from vsc.runtime.errors import PortInUseError

LOOPBACK = "127.0.0.1"

PORT_RANGE = range(20_000, 32_000)
"""Below the kernel's ephemeral ports, so that no outgoing connection takes a stopped server's port."""


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class Ports:
    """The ports of one state folder by program name, remembered in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def claim(self, name: str, fixed: int = 0) -> int:
        """The port for `name`: the `fixed` one, else the remembered one if it is free, else a new free one.

        Raises:
            PortInUseError: if the fixed port is taken.
        """
        if fixed:
            if not is_free(fixed):
                raise PortInUseError(f"port {fixed} for {name} is in use: free it or choose another in the settings")
            return fixed
        # Shards that start together must not choose the same.
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            chosen: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}
            port = chosen.get(name, 0)
            others = {other for known, other in chosen.items() if known != name}
            while port in others or port not in PORT_RANGE or not is_free(port):
                port = random.SystemRandom().choice(PORT_RANGE)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(chosen | {name: port}, indent=1))
            fresh.replace(self._file)
        return port
