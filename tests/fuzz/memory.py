"""Feeds one decoder the same inputs again and again, and prints what its memory was before and after, as JSON.

``python -m tests.fuzz.memory NAME CORPUS``, in a process without the fuzzer, whose own memory grows.
"""

import gc
import json
import sys
import time
from pathlib import Path
from typing import Final

import psutil

from tests.fuzz.targets import TARGETS

WARM_UP_S: Final = 1.0
ROUND_S: Final = 3.0
"""At least one round each, however long it takes."""


def feed(name: str, inputs: list[bytes], seconds: float) -> int:
    """Check all inputs for so long; how many times."""
    check = TARGETS[name].check
    deadline = time.monotonic() + seconds
    rounds = 0
    while rounds == 0 or time.monotonic() < deadline:
        for data in inputs:
            check(data)
        rounds += 1
    return rounds * len(inputs)


def resident_bytes() -> int:
    """After a collection."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    """Feed the target that the arguments name."""
    name, corpus = sys.argv[1:]
    inputs = [file.read_bytes() for file in sorted(Path(corpus).iterdir())]
    feed(name, inputs, WARM_UP_S)
    before = resident_bytes()
    count = feed(name, inputs, ROUND_S)
    sys.stdout.write(json.dumps({"inputs": count, "before": before, "after": resident_bytes()}))


if __name__ == "__main__":
    main()
