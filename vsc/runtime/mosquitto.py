"""The broker: its configuration file and its command line."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vsc.runtime.place import as_child, open_folder, server_account
from vsc.runtime.ports import LOOPBACK

OLDEST_VERSION = (2, 0, 21)
"""Older releases break Receive Maximum (before 2.0.13) or finite queues (before 2.0.17)."""

MAX_PACKET_BYTES = 64 * 1024

MOST_QUEUED = 100_000
"""Messages kept for one client, ingest above all, while it is away."""

MOST_QUEUED_BYTES = 256 * 1024 * 1024

STOP_SIGNAL = signal.SIGTERM
"""Saves the sessions to disk before it ends."""


@dataclass(frozen=True)
class Mosquitto:
    """One broker on the loopback interface, its sessions and queues kept in `folder`."""

    program: Path
    folder: Path
    port: int

    def prepare(self) -> None:
        """Make the data folder and write the configuration."""
        open_folder(self.folder, server_account())
        self._config_file.write_text(self._config())
        self._config_file.chmod(0o644)

    def command(self) -> list[str]:
        """The command line that runs the broker in the foreground."""
        return as_child([str(self.program), "-c", str(self._config_file)], server_account(), STOP_SIGNAL)

    @property
    def _config_file(self) -> Path:
        return self.folder / "mosquitto.conf"

    def _config(self) -> str:
        # No message_size_limit: it answers with a code that is illegal in a PUBACK, which ends paho's thread.
        lines = [
            f"listener {self.port} {LOOPBACK}",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 5",
            "max_inflight_messages 1000",
            # What exceeds a queue is dropped; the car that sent it has no stored-ack and sends it again.
            f"max_queued_messages {MOST_QUEUED}",
            f"max_queued_bytes {MOST_QUEUED_BYTES}",
            "max_keepalive 300",
            f"memory_limit {_half_the_memory()}",
            f"max_packet_size {MAX_PACKET_BYTES}",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "connection_messages false",
        ]
        return "\n".join(lines) + "\n"


def _half_the_memory() -> int:
    """Bytes: the broker refuses to take more before it endangers what else runs on the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def version(program: Path) -> tuple[int, ...]:
    """The release of a mosquitto program; empty if it does not run."""
    try:
        shown = subprocess.run([str(program), "-h"], capture_output=True, text=True, timeout=10, check=False).stdout
    except OSError:
        return ()
    found = re.search(r"mosquitto version (\d+)\.(\d+)\.(\d+)", shown)
    return tuple(int(part) for part in found.groups()) if found else ()
