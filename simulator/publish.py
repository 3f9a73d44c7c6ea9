"""Batches to the broker: at a multiple of their own time, or as fast as ingest stores them."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.client import Agent
from simulator.delivery import Delivery, FleetSender
from simulator.fleet import CARS_TOGETHER, Fleet

BATCHES_AT_ONCE = 100
"""Kept in the outbox with one write to disk."""
UNSTORED_BATCHES = 2_000
"""At most so many wait for their stored-ack before more are made: the back-pressure of `--speed max`."""
PATIENCE = timedelta(minutes=5)
"""How long nothing may get stored before we say so."""


class NotStoredError(Exception):
    """Ingest has stored nothing for `PATIENCE`."""


@dataclass
class Pace:
    """The relation of the data's time to the machine's, from the first batch on."""

    speed: float | None
    """Data seconds per second; None: no waiting."""
    sleep: Callable[[float], None] = time.sleep
    _start: tuple[datetime, float] | None = field(default=None, init=False)

    def wait_until(self, at: datetime) -> None:
        """Return when it is `at` in the data's time."""
        if self.speed is None:
            return
        if self._start is None:
            self._start = at, time.monotonic()
        data_start, machine_start = self._start
        due = machine_start + (at - data_start).total_seconds() / self.speed
        if (wait := due - time.monotonic()) > 0:
            self.sleep(wait)


class Progress:
    """Knows what of a fleet's deliveries earlier runs have left: a run goes on where the one before it ended."""

    def __init__(self, agent: Agent) -> None:
        """Ask `agent` what its outbox has had."""
        self._agent = agent
        self._caught_up = False

    def left(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those that the outbox has not had, and what is delivered again after the first of them."""
        return [one for one in deliveries if self._is_left(one)]

    def _is_left(self, one: Delivery) -> bool:
        if one.again:
            return self._caught_up
        new = one.batch.seq >= self._agent.next_seq(one.batch.vehicle_id, one.batch.boot)
        self._caught_up |= new
        return new


def publish_fleet(agent: Agent, fleet: Fleet, name: str, pace: Pace, report: Callable[[float], None]) -> int:
    """Publish what earlier runs of this fleet have left; how many samples were new.

    Returns when everything has its stored-ack.

    Without waiting, cars publish a day by turns, a hundred at a time, so that no more than their day is held.

    Args:
        agent: that of all cars.
        fleet: whose days.
        name: all that it was built from.
        pace: how fast.
        report: told the share that is done.

    Raises:
        NotStoredError: if ingest stops storing.
    """
    sender, progress, samples = FleetSender(name, fleet.start, fleet.troubles), Progress(agent), 0
    for index in range(fleet.days):
        report(index / fleet.days)
        cars = fleet.day(index)
        while part := list(itertools.islice(cars, CARS_TOGETHER if pace.speed is None else None)):
            samples += publish(agent, progress.left(sender.deliveries(index, part)), pace)
        # Where no car sends anything any more, nobody has brought what was held back.
        samples += publish(agent, progress.left(sender.deliveries(index, ())), pace)
    samples += publish(agent, progress.left(sender.rest()), pace)
    wait_for_storage(agent)
    report(1.0)
    return samples


def publish(agent: Agent, deliveries: Iterable[Delivery], pace: Pace) -> int:
    """Hand deliveries, ordered by their time, to the agent; how many new samples they hold.

    Without waiting, what is delivered again comes last, once all has been stored: before, the agent would see that it
    still has it.

    Raises:
        NotStoredError: if ingest stops storing.
    """
    if pace.speed is not None:
        return _submit(agent, deliveries, pace, at_once=1)
    ones = list(deliveries)
    samples = _submit(agent, (one for one in ones if not one.again), pace, at_once=BATCHES_AT_ONCE)
    repeats = [one for one in ones if one.again]
    if repeats:
        wait_for_storage(agent)
        _submit(agent, repeats, pace, at_once=BATCHES_AT_ONCE)
    return samples


def _submit(agent: Agent, deliveries: Iterable[Delivery], pace: Pace, *, at_once: int) -> int:
    samples = 0
    for group in _groups(deliveries, at_once):
        pace.wait_until(group[0].due)
        agent.submit([one.batch for one in group])
        samples += sum(one.samples for one in group)
        wait_for_storage(agent, UNSTORED_BATCHES)
    return samples


def wait_for_storage(agent: Agent, at_most: int = 0) -> None:
    """Wait until at most `at_most` batches lack their stored-ack.

    Raises:
        NotStoredError: if their number does not fall for `PATIENCE`.
    """
    before = agent.pending
    while not agent.wait_for_room(at_most, PATIENCE):
        if (left := agent.pending) >= before:
            raise NotStoredError(
                f"{left} batches wait for their stored-ack and none was stored for {PATIENCE}: is ingest running?"
            )
        before = left


def _groups(deliveries: Iterable[Delivery], at_once: int) -> Iterator[Sequence[Delivery]]:
    rest = iter(deliveries)
    while group := list(itertools.islice(rest, at_once)):
        yield group
