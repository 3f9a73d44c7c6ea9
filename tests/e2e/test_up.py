"""`vsc up`: everything at once, with Prefect's schedule, until `vsc down` leaves nothing behind."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.settings import Settings, load_settings
from storage.connection import connect
from storage.migrate import migrate
from vsc.runtime.errors import AlreadyRunningError, NotRunningError
from vsc.runtime.leftovers import MARK
from vsc.runtime.place import state_dir
from vsc.runtime.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def stack(open_state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name in ("VSC_DIAGNOSE_EVERY", "VSC_PUSH_EVERY"):
        monkeypatch.setenv(name, "PT10S")
    whole = Stack(Settings(state_dir=open_state), root=state_dir(load_settings().state_dir))
    whole.up(migrate, lasting=False)
    yield whole
    if whole.addresses() is not None:
        whole.down()


def until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_the_whole_stack_works_survives_a_kill_and_leaves_nothing(stack: Stack) -> None:
    parts = {part.name: part for part in stack.status()}
    assert {"postgres", "mosquitto", "ingest", "watch", "desk", "console", "prefect", "flows", "fleet"} == parts.keys()
    assert [name for name, part in parts.items() if not part.works] == []
    with pytest.raises(AlreadyRunningError, match="is running already"):
        stack.up(migrate)

    for name in ("ingest", "postgres"):
        assert parts[name].pid > 0
        os.kill(parts[name].pid, signal.SIGKILL)
    until(lambda: all(part.works for part in stack.status()), 60)

    addresses = stack.addresses()
    assert addresses is not None
    with connect(addresses.database_url, autocommit=True) as connection:
        # The first complete day of the fleet is judged by the schedule, not by us.
        until(lambda: connection.execute("SELECT count(*) > 0 FROM detector_state").fetchone() == (True,), 150)

    stack.down()
    assert left_behind(stack.state) == []
    with pytest.raises(NotRunningError):
        stack.status()


def left_behind(state: Path) -> list[str]:
    """Processes that still belong to the stack."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(state):
                found.append(process.name())
        except psutil.Error:
            continue
    return found
