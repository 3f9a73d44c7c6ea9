"""Scenarios 6 and 16: connections end in the middle of a frame, and between a commit and its reply."""

import itertools
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from tests.support.faults.commits import CommitRepliesLost
from tests.support.faults.form import Form
from tests.support.faults.load import in_bursts, standard_load
from tests.support.faults.proxy import CutAfter, Fate, Unharmed
from tests.support.faults.scene import PATIENCE, Scene

pytestmark = pytest.mark.integration

Make = Callable[..., Scene]


def cutting(rng: np.random.Generator, most: int, most_bytes: int) -> Callable[[], Fate]:
    """Fates that end the first so many connections after a random number of bytes, few as often as many."""
    count = itertools.count()

    def fate() -> Fate:
        if next(count) >= most:
            return Unharmed()
        return CutAfter(int(np.exp(rng.uniform(np.log(20), np.log(most_bytes)))))

    return fate


@pytest.mark.scenario("6 TCP cut inside a frame", quick=1, full=3)
def test_connections_cut(scene: Make, form: Form, seed: int) -> None:
    cuts = form.times(100, quick=20)
    fates = [cutting(np.random.default_rng([seed, side]), cuts, 40 * form.messages) for side in range(2)]
    with scene(fleet_fate=fates[0], ingest_fate=fates[1]) as run:
        for burst in in_bursts(standard_load(seed, form.messages), 20):
            run.fleet.submit(burst)
            # Each of the bursts meets connections of which some have only just begun.
            run.fleet.wait_for_pending(len(burst) // 2, timedelta(seconds=2))
        verdict = run.verdict(note=f"{sum(proxy.cuts for proxy in run.proxies)} cuts, {cuts} on either side")
        assert [proxy.cuts for proxy in run.proxies] == [cuts, cuts]
    verdict.hold()
    assert verdict.judgement.quarantined == 0


@pytest.mark.scenario("16 commit outcome unknown", quick=1, full=20)
def test_commit_replies_lost(scene: Make, form: Form) -> None:
    losses = form.times(100, quick=10)
    plan = CommitRepliesLost(losses)
    # So few messages on their way that there are enough flushes to lose the replies of.
    window = max(1, form.messages // (losses * 5))
    with scene(database_fate=plan.fate, window=window) as run:
        run.fleet.submit(standard_load(run.seed, form.messages))
        assert run.fleet.drain(PATIENCE)
        assert plan.left == 0
        assert run.ingest.process.log().count('"database_away"') >= losses
        verdict = run.verdict(note=f"{losses} replies to COMMIT lost")
    verdict.hold()
