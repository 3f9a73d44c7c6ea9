"""Which findings are held back, by which entry, and what becomes of them when it ends: pure, by event time.

A finding that is held back is told once nothing keeps it quiet any more, if its detector has not seen the end of it by
then. What comes of it is the same, however the car's history is cut into runs.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, groupby
from typing import Final

from tickets.silence import Silence, Subject, holder, quiet_until
from vehicle.finding import Finding, Severity

PATIENCE: Final = timedelta(days=3)
"""So long after an entry's end a car is waited for that says nothing; then it is taken to be as it was (engineering
estimate: longer than a weekend at rest)."""


class Outcome(StrEnum):
    """What became of a finding that was held back."""

    RAISED = "raised"
    """It still held, and was told."""
    ENDED = "ended"
    """Its detector saw the end of it first."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A finding that is held back no more."""

    finding_id: int
    outcome: Outcome
    at: datetime
    """The event time at which it could be told."""


def hold(found: Mapping[int, Finding], entries: Collection[Silence], model: str) -> dict[int, Silence]:
    """The findings of a car that are held back, by their numbers, and the entry because of which.

    Args:
        found: new findings by their numbers.
        entries: those there are for the car.
        model: the car's.
    """
    held = {}
    for number, finding in found.items():
        one = holder(entries, _subject(finding, model), finding.observed_at)
        if one is not None and not finding.cleared and finding.severity is not Severity.DANGER:
            held[number] = one
    return held


def settle(
    held: Mapping[int, Finding],
    ends: Iterable[Finding],
    entries: Collection[Silence],
    model: str,
    told_until: datetime,
) -> list[Settlement]:
    """What becomes of the findings of a car that are held back, in the order in which it does.

    Args:
        held: the findings by their numbers.
        ends: what detectors have seen the end of on this car.
        entries: those there are for the car, as they stand now.
        model: the car's.
        told_until: event time up to which all is known of the car that will be.
    """
    ended: dict[str, list[datetime]] = {}
    for one in ends:
        ended.setdefault(one.detector, []).append(one.observed_at)
    settled = []
    for number, finding in held.items():
        due = quiet_until(entries, _subject(finding, model), finding.observed_at)
        if due > told_until:
            continue
        over = any(finding.observed_at < at <= due for at in ended.get(finding.detector, ()))
        settled.append(Settlement(number, Outcome.ENDED if over else Outcome.RAISED, due))
    return sorted(settled, key=lambda one: (one.at, one.finding_id))


def in_order(
    told: Mapping[int, Finding], held: Mapping[int, Finding], settled: Iterable[Settlement]
) -> Iterator[dict[int, Finding]]:
    """What is told, in the order in which it is, together what alerts may take together.

    Args:
        told: findings that nothing keeps quiet, which are told as they are made.
        held: those that were held back, by their numbers; each is told when it may be, if it is raised.
        settled: what became of them.
    """
    steps = [(finding.observed_at, False, number, finding) for number, finding in told.items()]
    steps += [(one.at, True, one.finding_id, held[one.finding_id]) for one in settled if one.outcome is Outcome.RAISED]
    for is_late, group in groupby(sorted(steps, key=lambda step: step[:3]), key=lambda step: step[1]):
        together = [{number: finding} for _, _, number, finding in group]
        yield from together if is_late else [dict(chain.from_iterable(one.items() for one in together))]


def _subject(finding: Finding, model: str) -> Subject:
    return Subject(finding.vehicle_id, model, finding.component, finding.detector)
