"""Scenario 11: ten times the usual load for a while, more than can be stored at once."""

import time
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from tests.support.faults.broker_statistics import dropped_by_broker
from tests.support.faults.form import Form
from tests.support.faults.latency import Latencies
from tests.support.faults.load import Batch, in_bursts, standard_load
from tests.support.faults.scene import Scene

pytestmark = pytest.mark.integration

MOST_EVENT_S = 5.0
STEP_S = 0.1


def send_steadily(run: Scene, batches: list[Batch], duration_s: float) -> None:
    """Submit messages spread evenly over a time."""
    began = time.monotonic()
    parts = max(1, int(duration_s / STEP_S))
    for number, part in enumerate(in_bursts(batches, parts), start=1):
        run.fleet.submit(part)
        time.sleep(max(0.0, began + duration_s * number / parts - time.monotonic()))


@pytest.mark.scenario("11 burst of ten times the load", quick=1, full=2)
def test_burst(scene: Callable[..., Scene], form: Form) -> None:
    with scene(resend_after=timedelta(seconds=60)) as run:
        warm_up = standard_load(run.seed, 500)
        began = time.monotonic()
        run.fleet.submit(warm_up)
        assert run.fleet.drain(timedelta(seconds=30))
        # What this machine stores at most, the agents' share of its processors included.
        most_per_s = len(warm_up) / (time.monotonic() - began)
        nominal_per_s = most_per_s / 8
        burst_s = form.times(20, quick=2)
        calm, burst = int(nominal_per_s * 2), int(10 * nominal_per_s * burst_s)
        batches = standard_load(run.seed, calm + burst, first_seq=11)
        send_steadily(run, batches[:calm], 2)
        with Latencies(run.fleet.files) as latencies:
            send_steadily(run, batches[calm:], burst_s)
            began = time.monotonic()
            allowed_s = 1.25 * burst / (0.8 * most_per_s - nominal_per_s)
            assert run.fleet.drain(timedelta(seconds=allowed_s)), f"not drained in {allowed_s:.0f} s"
        event_p99_s = float(np.percentile(latencies.seconds, 99))
        assert dropped_by_broker(run.broker) == 0
        verdict = run.verdict(
            note=f"{10 * nominal_per_s:.0f} messages/s for {burst_s} s where {most_per_s:.0f} can be stored; "
            f"events p99 {event_p99_s:.1f} s"
        )
    verdict.hold()
    assert len(latencies.seconds) >= burst // 20
    assert event_p99_s <= MOST_EVENT_S
