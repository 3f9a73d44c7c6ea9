"""The watchdog ends a process that stands still, and leaves one alone that does not."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PROGRAM = """
import time
from datetime import timedelta
from ingest.watchdog import Watchdog

watchdog = Watchdog(timedelta(seconds=0.5))
watchdog.start()
for _ in range({beats}):
    watchdog.beat()
    time.sleep(0.05)
{then}
"""


@pytest.mark.parametrize(("beats", "then", "exit_code"), [(0, "time.sleep(20)", 1), (20, "watchdog.release()", 0)])
def test_a_standstill_ends_the_process(beats: int, then: str, exit_code: int) -> None:
    program = PROGRAM.format(beats=beats, then=then)
    ended = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, timeout=15, check=False, capture_output=True)
    assert ended.returncode == exit_code
