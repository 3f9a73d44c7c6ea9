"""The state machine of one rule on one part of one car: from `when` over `for` to firing, and back by `until`.

All samples of a run are taken at once; the machine goes from change to change, not from sample to sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.states import STATE_HELD
from rules.engine.clock import Times
from rules.engine.memory import PartMemory
from rules.engine.streaks import Streaks, streaks
from rules.engine.windows import MICROSECOND
from rules.rule import Latching, Rule


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What a rule's conditions were for one part at its new samples, NaN where not known."""

    times: Times
    level: NDArray[np.float64]
    """The highest rung whose `when` holds, from 1; 0: the rule's own does not."""
    well: NDArray[np.float64]
    """`until`."""
    exposure: NDArray[np.float64]
    repaired: Times
    """The samples that are the first after a workshop has seen to the car."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change: the rung a part has climbed to, or 0 when the rule has ended for it."""

    at: int
    rung: int
    begun: int
    """Since when `when` held, by which the rule began to fire."""


def advance(rule: Rule, part: PartMemory, course: Course) -> list[Step]:
    """Take new samples into a part's memory, and return the changes, in their order."""
    sick = _sick(rule, part, course)
    known = np.isfinite(course.well)
    well = _Well(course.times[known], course.well[known] == 1, course.repaired)
    exposed = _exposed(part, course) if rule.latch.kind is Latching.EXPOSURE else None
    steps: list[Step] = []
    at = -1
    while True:
        if not part.rung:
            entered = np.flatnonzero(sick.ready & (sick.times > at))
            if not len(entered):
                break
            at, part.begun = int(sick.times[entered[0]]), int(sick.since[entered[0]])
            part.well_since, part.well_told_at = None, 0
            _climb(part, steps, at, int(sick.rungs[entered[0]]))
        end = _end(rule, part, well, at, exposed)
        within = (sick.times > at) & (sick.times < end if end is not None else True)
        for place in np.flatnonzero(within & (sick.rungs > part.rung)):
            if sick.rungs[place] > part.rung:
                _climb(part, steps, int(sick.times[place]), int(sick.rungs[place]))
        if end is None:
            break
        part.rung, at = 0, end
        steps.append(Step(end, 0, part.begun))
    _note(part, well, at, course, exposed)
    return steps


def _climb(part: PartMemory, steps: list[Step], at: int, rung: int) -> None:
    part.rung = rung
    steps.append(Step(at, rung, part.begun))


@dataclass(frozen=True, slots=True, eq=False)
class _Sick:
    """Per new sample at which `when` is known."""

    times: Times
    rungs: NDArray[np.int64]
    """The least level of the latest samples in a row, as many as the rule asks for; 0: not so many."""
    ready: NDArray[np.bool_]
    """Whether the rule may begin to fire."""
    since: Times
    """Since when `when` holds; of no meaning where it does not."""


def _sick(rule: Rule, part: PartMemory, course: Course) -> _Sick:
    """What `when` says; notes in the memory how it stands at the end."""
    known = np.isfinite(course.level)
    times, levels = course.times[known], course.level[known].astype(np.int64)
    run = streaks(times, levels > 0, part.told_at if part.held else None)
    if not len(times):
        return _Sick(times, levels, run.holds, times)
    places = np.arange(len(times))
    counts = np.where(run.carried, places + 1 + part.held, places - run.first + 1)
    since = np.where(run.carried, part.since, times[run.first])
    padded = np.concatenate((_padding(part, rule.observations), levels))
    least = np.lib.stride_tricks.sliding_window_view(padded, rule.observations).min(axis=1)
    rungs = np.where(run.holds & (counts >= rule.observations), least, 0)
    ready = (rungs > 0) & (times - since >= rule.lasting // MICROSECOND)
    part.told_at, part.since = int(times[-1]), int(since[-1]) if run.holds[-1] else 0
    part.held = min(int(counts[-1]), rule.observations) if run.holds[-1] else 0
    part.levels = padded[len(padded) - min(part.held, rule.observations - 1) :].tolist() if part.held else []
    return _Sick(times, rungs, ready, since)


def _padding(part: PartMemory, observations: int) -> NDArray[np.int64]:
    """The levels before the new samples: one fewer than are looked at together."""
    carried = part.levels[len(part.levels) - min(len(part.levels), observations - 1) :]
    return np.array([0] * (observations - 1 - len(carried)) + carried, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Well:
    """Per new sample at which `until` is known: whether it holds."""

    times: Times
    holds: NDArray[np.bool_]
    repaired: Times
    """The samples that are the first after a workshop has seen to the car."""

    def run(self, part: PartMemory, entered_at: int) -> Streaks:
        """Its streaks after the rule began to fire."""
        later = self.times > entered_at
        return streaks(self.times[later], self.holds[later], part.well_told_at if part.well_since is not None else None)

    def since(self, part: PartMemory, run: Streaks) -> Times:
        """When each streak began."""
        began = part.well_since if part.well_since is not None else 0
        return np.where(run.carried, began, run.times[run.first]) if len(run.times) else run.times


def _end(rule: Rule, part: PartMemory, well: _Well, entered_at: int, exposed: "_Exposed | None") -> int | None:
    """When the rule ends for a part that it holds for; None: not at these samples."""
    seen_to = well.repaired[well.repaired > entered_at] if rule.latch.kind is not Latching.NONE else well.times[:0]
    ends = [int(at) for at in seen_to[:1]]
    if rule.latch.kind is not Latching.WORKSHOP:
        ends += _got_well(rule, part, well, entered_at, exposed)
    return min(ends, default=None)


def _got_well(rule: Rule, part: PartMemory, well: _Well, entered_at: int, exposed: "_Exposed | None") -> list[int]:
    """When it ends by itself, if it does."""
    run = well.run(part, entered_at)
    over = run.holds & (run.times - well.since(part, run) >= rule.keep_firing_for // MICROSECOND)
    if exposed is not None:
        over &= exposed.at(run.times) >= rule.latch.lasting // MICROSECOND
    return [int(at) for at in run.times[over][:1]]


@dataclass(frozen=True, slots=True, eq=False)
class _Exposed:
    """Microseconds of exposure since `when` held last."""

    times: Times
    amounts: NDArray[np.int64]

    def at(self, times: Times) -> NDArray[np.int64]:
        return self.amounts[np.searchsorted(self.times, times)]


def _exposed(part: PartMemory, course: Course) -> _Exposed:
    times = course.times
    inside = course.exposure == 1
    before = np.concatenate(([part.exposed_at or times[0]], times[:-1]))
    was_inside = np.concatenate(([part.exposed_at > 0], inside[:-1]))
    gap = times - before
    counted = np.where(inside & was_inside & (gap <= STATE_HELD // MICROSECOND), gap, 0)
    total = part.exposed + np.cumsum(counted)
    reset = course.level > 0
    base = np.maximum.accumulate(np.where(reset, total, 0))
    return _Exposed(times, total - base)


def _note(part: PartMemory, well: _Well, at: int, course: Course, exposed: _Exposed | None) -> None:
    """Note how `until` and the exposure stand at the end."""
    if not part.rung:
        part.well_since, part.well_told_at, part.exposed, part.exposed_at = None, 0, 0, 0
        return
    run = well.run(part, at)
    if len(run.times):
        holds = bool(run.holds[-1])
        part.well_since = int(well.since(part, run)[-1]) if holds else None
        part.well_told_at = int(run.times[-1]) if holds else 0
    if exposed is not None:
        part.exposed = int(exposed.amounts[-1])
        part.exposed_at = int(course.times[-1]) if course.exposure[-1] == 1 else 0
