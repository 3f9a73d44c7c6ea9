"""Troubles between a car and the service centre: links that come and go, clocks that are wrong, restarts, repeats.

They change neither the car nor what it samples, only when its batches are sent, how often, under which boot, and which
times they bear; none of it may lose or double anything in the database. A car's troubles hang on the seed and its own
number alone.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from simulator.day import FloatArray
from simulator.randomness import Purpose, generator
from simulator.truth import ConfounderTruth
from simulator.weather import DAY_S, HOUR_S


class Trouble(StrEnum):
    """Every kind there is."""

    OFFLINE_HOURS = "offline_hours"
    """A garage below ground: nothing gets out for hours, then everything at once."""
    WEAK_LINK = "weak_link"
    """For days the link is gone for minutes at a time, and what was under way just then is sent twice."""
    CLOCK_SKEW = "clock_skew"
    """The car's clock is wrong by up to a minute, all the time."""
    CLOCK_JUMP = "clock_jump"
    """The clock jumps by minutes and is set right hours later: times are missing, or come twice."""
    REBOOTS = "reboots"
    """The gateway restarts between two samples: a new boot, counted from 1."""
    DUPLICATES = "duplicates"
    """Batches are sent again hours later, though they had been stored."""
    LATE_DATA = "late_data"
    """After a restart what the boot before had not sent yet is found days later, long after newer batches."""


class Troubles(StrEnum):
    """Which cars of a fleet have troubles."""

    NONE = "none"
    SOME = "some"
    """Of ten cars, seven have one, each another."""
    ALL = "all"
    """Every car has every one."""


@dataclass(frozen=True, slots=True)
class Spells:
    """How often a trouble comes, how long it lasts, and what an episode's size is drawn from, in seconds."""

    per_day: float
    lasts_s: tuple[float, float] = (0.0, 0.0)
    size_s: tuple[float, float] = (0.0, 0.0)


SPELLS: Final = {
    Trouble.OFFLINE_HOURS: Spells(0.3, (1.0 * HOUR_S, 9.0 * HOUR_S)),
    Trouble.CLOCK_JUMP: Spells(0.25, (0.5 * HOUR_S, 8.0 * HOUR_S), (20.0, 480.0)),
    Trouble.REBOOTS: Spells(0.7),
    Trouble.LATE_DATA: Spells(0.2, (0.3 * DAY_S, 3.0 * DAY_S), (1.0 * HOUR_S, 6.0 * HOUR_S)),
}
"""Engineering estimates: often enough to meet each within a few weeks of a few cars. The others last for all days."""
SKEW_S: Final = (5.0, 60.0)
"""With the greatest jump less than the ten minutes by which a clock may be ahead of ours (engineering estimate)."""
WEAK_SHARE: Final = 0.25
"""Of the days, in one stretch."""
WEAK_S: Final = 600.0
WEAK_AWAY: Final = 0.4
"""A weak link is there or away for so long at a time, and away for such a share (engineering estimates)."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that a trouble lasts, in seconds since the fleet's start."""

    kind: Trouble
    start_s: float
    end_s: float
    size_s: float = 0.0
    """How far a clock is ahead; how long the boot that ended had sent nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class CarTroubles:
    """One car's, over all days."""

    seed: int
    number: int
    episodes: tuple[Episode, ...]
    """What the truth tells, in order of their start."""
    outages: FloatArray
    """Start and end of every time without a link, in order and apart, shape (outages, 2)."""

    def of(self, *kinds: Trouble) -> list[Episode]:
        """Its episodes of these kinds."""
        return [one for one in self.episodes if one.kind in kinds]

    def breaks(self, start_s: float, end_s: float) -> list[float]:
        """The moments between two times at which the boot or the clock changes, in order."""
        restarts = [one.start_s for one in self.of(Trouble.REBOOTS, Trouble.LATE_DATA)]
        jumps = [at for one in self.of(Trouble.CLOCK_JUMP) for at in (one.start_s, one.end_s)]
        return sorted({at for at in (*restarts, *jumps) if start_s < at < end_s})

    def boot(self, at_s: float) -> int:
        """How often the gateway has restarted."""
        return sum(one.start_s <= at_s for one in self.of(Trouble.REBOOTS, Trouble.LATE_DATA))

    def ahead_s(self, at_s: float) -> float:
        """How far the clock is ahead; negative: behind."""
        wrong = self.of(Trouble.CLOCK_SKEW, Trouble.CLOCK_JUMP)
        return sum(one.size_s for one in wrong if one.start_s <= at_s < one.end_s)

    def leaves_s(self, at_s: float) -> float:
        """When the car tries to send what it packs at this time: at once, or when it is found after a restart."""
        late = (one for one in self.of(Trouble.LATE_DATA) if one.start_s - one.size_s <= at_s < one.start_s)
        return max((one.end_s for one in late if self.boot(at_s) == self.boot(one.start_s) - 1), default=at_s)

    def arrives_s(self, at_s: float) -> float:
        """When what the car tries to send at this time gets through."""
        after = int(np.searchsorted(self.outages[:, 0], at_s, side="right"))
        return max(at_s, float(self.outages[after - 1, 1])) if after else at_s

    def truths(self, vehicle_id: str, start: date) -> list[ConfounderTruth]:
        """Its episodes for the truth file; a place is how far a clock was ahead."""
        midnight = datetime.combine(start, time(), UTC)
        return [
            ConfounderTruth(
                vehicle_id=vehicle_id,
                confounder=one.kind.value,
                start_at=midnight + timedelta(seconds=one.start_s),
                end_at=midnight + timedelta(seconds=one.end_s),
                locations=(f"{one.size_s:+.1f} s",) if one.kind in {Trouble.CLOCK_SKEW, Trouble.CLOCK_JUMP} else (),
            )
            for one in self.episodes
        ]


def draw_troubles(seed: int, number: int, days: int, which: Troubles) -> CarTroubles:
    """What car `number` of a fleet has over its days."""
    turn = int(generator(seed, Purpose.TROUBLES).integers(1000))
    everything = tuple(Trouble)
    place = (number + turn) % 10
    match which:
        case Troubles.NONE:
            kinds: tuple[Trouble, ...] = ()
        case Troubles.SOME:
            kinds = everything[place : place + 1]
        case Troubles.ALL:
            kinds = everything
    episodes = [one for kind in kinds for one in _draw(kind, _generator(seed, number, kind), days)]
    away = [(one.start_s, one.end_s) for one in episodes if one.kind is Trouble.OFFLINE_HOURS]
    for one in episodes:
        if one.kind is Trouble.WEAK_LINK:
            away += _weak_spells(one, generator(seed, Purpose.TROUBLES, number, len(everything)))
    return CarTroubles(seed, number, tuple(sorted(episodes, key=lambda one: one.start_s)), _apart(away))


def _generator(seed: int, number: int, kind: Trouble) -> np.random.Generator:
    return generator(seed, Purpose.TROUBLES, number, tuple(Trouble).index(kind))


def _draw(kind: Trouble, rng: np.random.Generator, days: int) -> list[Episode]:
    """A kind's episodes over the days."""
    whole_s = days * DAY_S
    spells = SPELLS.get(kind)
    if spells is not None:
        count = max(int(rng.poisson(spells.per_day * days)), 1)
        begins = np.sort(rng.uniform(0.0, whole_s, count)).round(1)
        ends = begins + rng.uniform(*spells.lasts_s, count).round(1)
        sizes = rng.uniform(*spells.size_s, count).round(3)
        if kind is Trouble.CLOCK_JUMP:
            sizes *= rng.choice((-1.0, 1.0), count)
            ends = np.minimum(ends, np.append(begins[1:], np.inf))
        columns = (begins.tolist(), ends.tolist(), sizes.tolist())
        return [Episode(kind, *ones) for ones in zip(*columns, strict=True)]
    if kind is Trouble.WEAK_LINK:
        begin = round(float(rng.uniform(0.0, 1.0 - WEAK_SHARE)) * whole_s, 1)
        return [Episode(kind, begin, begin + WEAK_SHARE * whole_s)]
    ahead_s = float(rng.uniform(*SKEW_S) * rng.choice((-1.0, 1.0)))
    return [Episode(kind, 0.0, whole_s, round(ahead_s, 3) if kind is Trouble.CLOCK_SKEW else 0.0)]


def _weak_spells(weak: Episode, rng: np.random.Generator) -> list[tuple[float, float]]:
    begins = np.arange(weak.start_s, weak.end_s, WEAK_S)
    return [(at, at + WEAK_S) for at in begins[rng.random(len(begins)) < WEAK_AWAY].tolist()]


def _apart(spans: list[tuple[float, float]]) -> FloatArray:
    """Spans in order, those that touch made one, shape (spans, 2)."""
    apart: list[list[float]] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1][1] = max(apart[-1][1], end)
        else:
            apart.append([start, end])
    return np.array(apart, dtype=np.float64).reshape(-1, 2)
