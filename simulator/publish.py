"""Batches to the broker: at a multiple of their own time, or as fast as ingest stores them."""

import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.client import Agent
from simulator.convoy import DayOfSamples
from simulator.packing import Batch, pack
from vehicle.batch import TelemetryBatch

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


class FleetSender:
    """Gives the batches of a simulated fleet their boots and sequence numbers, day after day."""

    def __init__(self, name: str) -> None:
        """Make a sender; the same `name` (all that the fleet was built from) gives the same boots."""
        self._name = name
        self._next_seq: dict[str, int] = {}

    def boot(self, vehicle_id: str) -> str:
        """The boot of one car, 16 hex digits."""
        return hashlib.sha256(f"{self._name} {vehicle_id}".encode()).hexdigest()[:16]

    def batches(self, day: Iterable[tuple[str, DayOfSamples]]) -> list[Batch]:
        """All batches of a day, ordered by their time of sending."""
        batches: list[Batch] = []
        for vehicle_id, samples in day:
            first_seq = self._next_seq.get(vehicle_id, 1)
            packed = list(
                pack(
                    vehicle_id, self.boot(vehicle_id), first_seq, samples.times, samples.columns, events=samples.events
                )
            )
            self._next_seq[vehicle_id] = first_seq + len(packed)
            batches += packed
        return sorted(batches, key=lambda batch: batch.sent_at)


def publish(agent: Agent, batches: Iterable[Batch], pace: Pace) -> int:
    """Hand batches, ordered by their time of sending, to the agent; how many samples they hold.

    Raises:
        NotStoredError: if ingest stops storing.
    """
    samples = 0
    for group in _groups(batches, at_once=BATCHES_AT_ONCE if pace.speed is None else 1):
        pace.wait_until(group[0].sent_at)
        agent.submit(group)
        samples += sum(len(batch.times) for batch in group if isinstance(batch, TelemetryBatch))
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


def _groups(batches: Iterable[Batch], at_once: int) -> Iterator[Sequence[Batch]]:
    rest = iter(batches)
    while group := list(itertools.islice(rest, at_once)):
        yield group
