"""A whole stack of its own: database, broker, ingest and booking desk under supervision."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.settings import CHECKOUT, Settings, load_settings
from storage.migrate import migrate
from vsc.demo import ingest_and_desk
from vsc.runtime.place import state_dir
from vsc.runtime.programs import Addresses
from vsc.runtime.stack import Stack


@dataclass(frozen=True)
class RunningStack:
    """A stack, and the command line that talks to it."""

    stack: Stack
    addresses: Addresses

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VSC_")}
        return kept | {"VSC_STATE_DIR": str(self.stack.state), "VSC_CLOCK": "data"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command, and leave it running."""
        command = [sys.executable, "-m", "vsc", *arguments]
        return subprocess.Popen(
            command, env=self.environment(), cwd=CHECKOUT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def vsc(self, *arguments: str) -> Any:
        """The JSON result of a command that must succeed."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
        return json.loads(out)

    def kill(self, name: str) -> bool:
        """End one part at once, as a crash would; False if it is not running just now."""
        pid = next(part.pid for part in self.stack.status() if part.name == name)
        # The supervisor knows no process while it starts one anew, and 0 would mean our own process group.
        if pid <= 0:
            return False
        os.kill(pid, signal.SIGKILL)
        return True


@contextmanager
def running_stack(folder: Path) -> Iterator[RunningStack]:
    """A stack in `folder` with the checkout's programs."""
    settings = Settings(state_dir=folder, clock="data")
    stack = Stack(settings, root=state_dir(load_settings().state_dir))
    with stack.running(migrate, ingest_and_desk) as addresses:
        yield RunningStack(stack, addresses)


@pytest.fixture
def stack(open_state: Path) -> Iterator[RunningStack]:
    with running_stack(open_state) as running:
        yield running
