"""What a car sends and when it gets through: its day cut into batches, held back, repeated, under its own clock."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from simulator.convoy import DayOfSamples
from simulator.packing import Batch, pack
from simulator.randomness import Purpose, generator
from simulator.troubles import CarTroubles, Trouble
from simulator.weather import DAY_S, HOUR_S
from vehicle.batch import Event, TelemetryBatch
from vehicle.moment import instant

REPEATED: Final = 0.1
REPEATED_H: Final = (0.1, 12.0)
"""Share of the batches that are sent again, and after how long (engineering estimates)."""
CUT_OFF: Final = 0.5
AGAIN_S: Final = 60.0
"""Share of the batches that a weak link loses the confirmation of (engineering estimate), and after what time a car
that misses one sends again (the agent's default)."""
_REPEATS: Final = 100
"""Key of the draws, beside the numbers of the troubles."""


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A batch on its way."""

    due: datetime
    """When it gets through, by the true clock."""
    batch: Batch
    again: bool = False
    """It has been delivered before."""

    @property
    def samples(self) -> int:
        """How many new ones it brings."""
        return len(self.batch.times) if isinstance(self.batch, TelemetryBatch) and not self.again else 0


class FleetSender:
    """Gives the batches of a simulated fleet their boots and sequence numbers, day after day."""

    def __init__(self, name: str, start: date, troubles: Mapping[str, CarTroubles]) -> None:
        """Make a sender.

        Args:
            name: all that the fleet was built from: the same gives the same boots.
            start: its first day.
            troubles: by vehicle; cars that are missing send everything at once, once.
        """
        self._name = name
        self._start = datetime.combine(start, time(), UTC)
        self._troubles = troubles
        self._next_seq: dict[str, int] = defaultdict(lambda: 1)
        self._last_s: dict[str, float] = defaultdict(float)
        self._held: list[Delivery] = []

    def boot(self, vehicle_id: str, restarts: int = 0) -> str:
        """The boot of one car after so many restarts, 16 hex digits."""
        text = f"{self._name} {vehicle_id} {restarts}" if restarts else f"{self._name} {vehicle_id}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def deliveries(self, index: int, day: Iterable[tuple[str, DayOfSamples]]) -> list[Delivery]:
        """What gets through until the end of the day `index`, in the order in which it does.

        A day may be given in parts, each with other cars; the first brings what was held back on days before.
        """
        for vehicle_id, samples in day:
            self._held += self._sent(vehicle_id, samples, index)
        until = self._start + timedelta(days=index + 1)
        due = sorted((one for one in self._held if one.due < until), key=lambda one: one.due)
        self._held = [one for one in self._held if one.due >= until]
        return due

    def rest(self) -> list[Delivery]:
        """What is still held back when the days are over, in the order in which it gets through."""
        due, self._held = sorted(self._held, key=lambda one: one.due), []
        return due

    def _sent(self, vehicle_id: str, samples: DayOfSamples, index: int) -> Iterator[Delivery]:
        """One car's day; of each boot in the order of its numbers."""
        troubles = self._troubles.get(vehicle_id)
        if troubles is None:
            for batch in self._packed(vehicle_id, self.boot(vehicle_id), samples):
                yield Delivery(batch.sent_at, batch)
            return
        rng = generator(troubles.seed, Purpose.TROUBLES, troubles.number, _REPEATS, index)
        edges = [index * DAY_S, *troubles.breaks(index * DAY_S, (index + 1) * DAY_S), np.inf]
        for begin_s, end_s in pairwise(edges):
            ahead = timedelta(seconds=troubles.ahead_s(begin_s))
            boot = self.boot(vehicle_id, troubles.boot(begin_s))
            part = _between(samples, self._start, -np.inf if begin_s == edges[0] else begin_s, end_s)
            for batch in self._packed(vehicle_id, boot, _shifted(part, ahead)):
                leaves_s = troubles.leaves_s((batch.sent_at - ahead - self._start).total_seconds())
                due_s = self._last_s[boot] = max(troubles.arrives_s(leaves_s), self._last_s[boot])
                yield Delivery(self._at(due_s), batch)
                if (again_s := _repeated_s(troubles, leaves_s, due_s, rng)) is not None:
                    yield Delivery(self._at(again_s), batch, again=True)

    def _packed(self, vehicle_id: str, boot: str, samples: DayOfSamples) -> list[Batch]:
        first_seq = self._next_seq[boot]
        packed = list(pack(vehicle_id, boot, first_seq, samples.times, samples.columns, events=samples.events))
        self._next_seq[boot] = first_seq + len(packed)
        return packed

    def _at(self, at_s: float) -> datetime:
        return self._start + timedelta(seconds=at_s)


def _between(samples: DayOfSamples, start: datetime, begin_s: float, end_s: float) -> DayOfSamples:
    """The samples and events of a part of a day."""
    at_s = (samples.times - instant(start)) / np.timedelta64(1, "s")
    rows = slice(*np.searchsorted(at_s, [begin_s, end_s]).tolist())
    return DayOfSamples(
        samples.times[rows],
        {name: values[rows] for name, values in samples.columns.items()},
        [one for one in samples.events if begin_s <= (one.at - start).total_seconds() < end_s],
    )


def _shifted(samples: DayOfSamples, ahead: timedelta) -> DayOfSamples:
    """The same under a clock that is wrong."""
    if not ahead:
        return samples
    events: list[Event] = [replace(one, at=one.at + ahead) for one in samples.events]
    return DayOfSamples(samples.times + np.timedelta64(ahead), samples.columns, events)


def _repeated_s(troubles: CarTroubles, leaves_s: float, due_s: float, rng: np.random.Generator) -> float | None:
    """When the batch gets through once more, if it does."""
    cut_off, repeated, later = rng.random(3)
    weak = any(one.start_s <= due_s < one.end_s for one in troubles.of(Trouble.WEAK_LINK))
    if weak and due_s > leaves_s and cut_off < CUT_OFF:
        return troubles.arrives_s(due_s + AGAIN_S)
    if troubles.of(Trouble.DUPLICATES) and repeated < REPEATED:
        low, high = REPEATED_H
        return troubles.arrives_s(due_s + HOUR_S * (low + (high - low) * later))
    return None
