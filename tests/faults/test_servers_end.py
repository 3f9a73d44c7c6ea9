"""Scenarios 4, 5 and 14: the broker and the database crash, and the broker forgets everything."""

import time
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from agent.sender import AckMode
from storage.incidents import IncidentKind, list_incidents
from tests.support.faults.form import Form
from tests.support.faults.load import Batch, in_bursts, standard_load
from tests.support.faults.memory import rss_mb
from tests.support.faults.outages import crash_of_database, start_again
from tests.support.faults.scene import MOST_STOP_S, PATIENCE, Scene
from tests.support.faults.verdict import Verdict
from tests.support.mqtt import wait_for

pytestmark = pytest.mark.integration

Make = Callable[..., Scene]
LONGEST_PAUSE = timedelta(seconds=30)
"""Between two attempts of ingest to reach the database."""


def crash_with_a_backlog(run: Scene, burst: list[Batch], crash: Callable[[], None]) -> None:
    """Always with the consumer gone and messages waiting for it, within a second after a burst."""
    run.ingest.take_down(kill=bool(run.rng.integers(2)))
    run.fleet.submit(burst)
    time.sleep(float(run.rng.uniform(0.1, 1.0)))
    crash()
    run.ingest.bring_up()
    run.after_fault()


def crash_after_each_burst(run: Scene, messages: int, crashes: int, crash: Callable[[], None]) -> None:
    """So often in one run."""
    for burst in in_bursts(standard_load(run.seed, messages), crashes):
        crash_with_a_backlog(run, burst, crash)
        assert run.fleet.wait_for_pending(messages // (4 * crashes), PATIENCE)


@pytest.mark.scenario("4 broker killed with a backlog", quick=1, full=20)
def test_broker_killed(scene: Make, form: Form) -> None:
    with scene() as run:
        crash_after_each_burst(run, form.messages, form.times(4, quick=1), lambda: run.crash(run.servers.broker))
        run.verdict().hold()


@pytest.mark.scenario("5 broker's state wiped", quick=1, full=5)
def test_broker_wiped(scene: Make, form: Form) -> None:
    # Ingest notices, and asks for what is missing long before the cars would send it again by themselves.
    with scene(resend_after=PATIENCE) as run:
        known, waiting = in_bursts(standard_load(run.seed, form.messages), 2)
        run.fleet.submit(known)
        assert run.fleet.drain(PATIENCE)
        crash_with_a_backlog(run, waiting, run.wipe_broker)
        verdict = run.verdict()
        verdict.hold()
        with psycopg.connect(run.database_url) as connection:
            [incident] = list_incidents(connection)
        assert incident.kind is IncidentKind.LOST_SESSION
        assert incident.from_at < incident.to_at
        # The first connection of all had no session either, and that was nobody's loss.
        assert run.ingest.process.log().count('"no_session_at_broker"') == 2


@pytest.mark.scenario("14 database crashes", quick=1, full=20)
def test_database_crashes(scene: Make, form: Form) -> None:
    crashes = form.times(5, quick=2)
    with scene(window=100, recovery=LONGEST_PAUSE) as run:
        pid = run.ingest.pid
        for burst in in_bursts(standard_load(run.seed, form.messages), crashes):
            run.fleet.submit(burst)
            time.sleep(float(run.rng.uniform(0, 0.3)))
            crash_of_database(run.servers, immediate=run.seed % 2 == 1)
            # What had been committed may still be on its way.
            time.sleep(0.3)
            pending = run.fleet.pending
            time.sleep(float(run.rng.uniform(0, 1)))
            assert run.fleet.pending == pending, "something was acknowledged while there was no database"
            start_again(run.servers.database)
            run.restarts += 1
            run.after_fault()
        run.fleet.drain(PATIENCE)
        assert run.ingest.pid == pid
        run.verdict().hold()


@pytest.mark.scenario("14 SIGTERM while the database is away", quick=1, full=1)
def test_told_to_end_while_the_database_is_away(scene: Make) -> None:
    with scene() as run:
        crash_of_database(run.servers, immediate=True)
        run.fleet.submit(standard_load(run.seed, 100))
        wait_for(lambda: '"database_away"' in run.ingest.process.log(), "ingest waits for the database")
        assert run.ingest.take_down() == 0
        assert run.ingest.stop_seconds[-1] <= MOST_STOP_S
        assert run.fleet.pending == 100
        start_again(run.servers.database)
        run.restarts += 1
        run.ingest.bring_up()
        run.verdict().hold()


@pytest.mark.scenario("14 database away for long", quick=0, full=1)
def test_database_away(scene: Make) -> None:
    """guarantees.md 2.7, with seconds for the hour: memory stays, and the backlog drains thrice as fast as it came."""
    rate, away_s = 200, 20
    batches = standard_load(1, rate * away_s)
    with scene(resend_after=timedelta(seconds=60), recovery=LONGEST_PAUSE) as run:
        run.fleet.submit(batches[:rate])
        assert run.fleet.drain(PATIENCE)
        before = rss_mb(run.ingest.pid)
        crash_of_database(run.servers, immediate=True)
        for burst in in_bursts(batches[rate:], 4 * away_s):
            run.fleet.submit(burst)
            time.sleep(0.25)
        assert rss_mb(run.ingest.pid) < before + 20
        start_again(run.servers.database)
        run.restarts += 1
        run.after_fault()
        began = time.monotonic()
        assert run.fleet.drain(PATIENCE)
        assert time.monotonic() - began < away_s / 3
        run.verdict(note=f"{rate} messages/s for {away_s} s").hold()


def lose_what_was_confirmed(run: Scene, messages: int, crash: Callable[[], None]) -> Verdict:
    """The broker has confirmed everything to the cars, nobody has taken it yet, and the broker crashes."""
    run.ingest.take_down()
    run.fleet.submit(standard_load(run.seed, messages))
    assert run.fleet.drain(PATIENCE)
    confirmed = run.fleet.acked()
    crash()
    run.ingest.bring_up()
    run.wait_until_still()
    return run.verdict(also_acked=confirmed, note="must lose")


@pytest.mark.scenario("4 broken: PUBACK taken for stored, broker killed", quick=1, full=3)
def test_what_only_the_broker_confirmed_is_lost_with_it(scene: Make, form: Form) -> None:
    with scene(ack_mode=AckMode.BROKER) as run:
        verdict = lose_what_was_confirmed(run, form.messages, lambda: run.crash(run.servers.broker))
    assert verdict.judgement.lost


@pytest.mark.scenario("5 broken: PUBACK taken for stored, broker wiped", quick=0, full=1)
def test_what_only_the_broker_confirmed_is_wiped_with_it(scene: Make, form: Form) -> None:
    with scene(ack_mode=AckMode.BROKER) as run:
        verdict = lose_what_was_confirmed(run, form.messages, run.wipe_broker)
    assert len(verdict.judgement.lost) == form.messages
