"""The sampler books CPU to the function that used it, and waiting only as time."""

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks.sampler import Sampler


@pytest.fixture(autouse=True)
def _interpreter_as_it_was() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def work(until_cpu_s: float) -> None:
    while time.thread_time() < until_cpu_s:
        sum(range(1000))


def test_cpu_goes_to_whoever_works_and_time_to_whoever_waits() -> None:
    sampler = Sampler()
    release = threading.Event()
    waiting = threading.Thread(target=release.wait, name="waits")
    working = threading.Thread(target=work, args=[0.3], name="works")
    sampler.start()
    waiting.start()
    working.start()
    working.join()
    release.set()
    waiting.join()
    sampler.stop()
    cpu = {"works": 0.0, "waits": 0.0}
    waited_s = 0.0
    for (thread, stack), (cpu_s, wall_s) in sampler.spent.items():
        if thread == "works" and any(name.endswith("test_sampler.py:work") for name in stack):
            cpu["works"] += cpu_s
        if thread == "waits":
            cpu["waits"] += cpu_s
            waited_s += wall_s
    assert cpu["works"] == pytest.approx(0.3, abs=0.06)
    assert cpu["waits"] < 0.03
    assert waited_s > 0.2


def test_one_that_was_never_begun_can_be_stopped() -> None:
    sampler = Sampler()
    sampler.stop()
    assert not sampler.spent
