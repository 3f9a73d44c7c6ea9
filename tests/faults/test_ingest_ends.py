"""Scenarios 1 and 3: ingest is ended, by force and in order, again and again."""

import json
import threading
import time
from collections.abc import Callable

import pytest

from agent.sender import AckMode
from tests.support.faults.commits import CommitRepliesLost
from tests.support.faults.form import Form
from tests.support.faults.load import in_bursts, standard_load
from tests.support.faults.scene import MOST_STOP_S, PATIENCE, Scene

pytestmark = pytest.mark.integration

Make = Callable[..., Scene]


def strike(run: Scene, messages: int, faults: int, fault: Callable[[], object]) -> None:
    """Send everything in one burst, and let the fault strike as often, each time in the middle of a backlog."""
    run.fleet.submit(standard_load(run.seed, messages))
    left = sorted((int(share * messages) for share in run.rng.uniform(0.04, 0.96, faults)), reverse=True)
    for pending in left:
        assert run.fleet.wait_for_pending(pending, PATIENCE)
        # Within the first second after ingest has begun to take what waits for it.
        time.sleep(float(run.rng.uniform(0, 0.05)))
        fault()
        run.after_fault()


@pytest.mark.scenario("1 kill -9 of ingest", quick=1, full=20)
def test_kill_9_of_ingest(scene: Make, form: Form) -> None:
    with scene(resend_after=PATIENCE) as run:
        strike(run, form.messages, form.times(20, quick=3), run.ingest.kill)
        # The broker delivers again what was not acknowledged to it: the cars need do nothing.
        assert run.fleet.resent == 0
        run.verdict().hold()


@pytest.mark.scenario("1 broken: stored-ack before COMMIT", quick=1, full=3)
def test_acking_before_the_commit_loses(scene: Make, form: Form) -> None:
    with scene(variant="acks_before_commit") as run:
        strike(run, form.messages, form.times(6, quick=2), run.ingest.kill)
        verdict = run.verdict(note="must lose")
    assert verdict.judgement.lost


@pytest.mark.scenario("1 broken: auto-ack, PUBACK taken for stored", quick=1, full=3)
def test_acking_on_arrival_loses(scene: Make, form: Form) -> None:
    with scene(variant="acks_on_arrival", ack_mode=AckMode.BROKER) as run:
        for burst in in_bursts(standard_load(run.seed, form.messages), form.times(6, quick=3)):
            run.fleet.submit(burst)
            # In the middle of it, when some of what was confirmed cannot be stored yet.
            assert run.fleet.wait_for_pending(int(run.rng.uniform(0.2, 0.8) * len(burst)), PATIENCE)
            run.ingest.kill()
            run.ingest.wait_until_started()
        assert run.fleet.drain(PATIENCE)
        confirmed = run.fleet.acked()
        run.wait_until_still()
        verdict = run.verdict(also_acked=confirmed, note="must lose")
    assert verdict.judgement.lost


@pytest.mark.scenario("1 kill -9 between COMMIT and PUBACK", quick=1, full=3)
def test_kill_9_between_commit_and_puback(scene: Make, form: Form) -> None:
    kills = form.times(10, quick=2)
    asked = threading.Semaphore(0)
    plan = CommitRepliesLost(kills, instead=asked.release)
    with scene(database_fate=plan.fate, resend_after=PATIENCE) as run:
        run.fleet.submit(standard_load(run.seed, form.messages))
        for _ in range(kills):
            assert asked.acquire(timeout=PATIENCE.total_seconds())
            run.ingest.kill()
            run.after_fault()
        assert plan.left == 0
        run.verdict().hold()


@pytest.mark.scenario("3 SIGTERM, rolling restart of ingest", quick=1, full=3)
def test_rolling_restart(scene: Make, form: Form) -> None:
    codes: list[int] = []
    # So patient that nothing comes twice unless ingest has left it unacknowledged.
    with scene(resend_after=PATIENCE) as run:
        strike(run, form.messages, form.times(10, quick=2), lambda: codes.append(run.ingest.roll()))
        run.verdict().hold()
        assert set(codes) == {0}
        assert max(run.ingest.stop_seconds) <= MOST_STOP_S
        ends = [json.loads(line) for line in run.ingest.process.log().splitlines() if '"ingest_stopped"' in line]
    # What was committed was acknowledged, too, before each end: nothing has come a second time.
    assert [end["duplicates"] for end in ends] == [0] * (len(codes) + 1)
