"""The watchdog ends a process that stands still or cannot stop, and leaves one alone that does not."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PROGRAM = """
import threading
import time
from datetime import timedelta
from ingest.watchdog import Watchdog

stop = threading.Event()
watchdog = Watchdog(timedelta(seconds={patience}), stop, lambda: print("last words"), timedelta(seconds=0.5))
watchdog.start()
for _ in range({beats}):
    watchdog.beat()
    time.sleep(0.05)
{then}
"""


def run(patience_s: float, beats: int, then: str) -> subprocess.CompletedProcess[bytes]:
    program = PROGRAM.format(patience=patience_s, beats=beats, then=then)
    return subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, timeout=15, check=False, capture_output=True)


@pytest.mark.parametrize(("beats", "then", "exit_code"), [(0, "time.sleep(20)", 1), (20, "watchdog.release()", 0)])
def test_a_standstill_ends_the_process(beats: int, then: str, exit_code: int) -> None:
    assert run(0.5, beats, then).returncode == exit_code


def test_a_process_that_cannot_stop_is_ended_as_if_it_had() -> None:
    ended = run(60, 1, "stop.set(); time.sleep(20)")
    assert ended.returncode == 0
    assert b"last words" in ended.stdout
    assert b"stopped_without_waiting" in ended.stdout + ended.stderr


def test_a_process_that_stops_is_left_alone() -> None:
    ended = run(60, 1, "stop.set(); time.sleep(0.2); watchdog.release(); time.sleep(1)")
    assert (ended.returncode, ended.stdout) == (0, b"")
