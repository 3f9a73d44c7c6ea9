"""Entries that keep findings quiet for a while: of which cars and detectors, from when to when, by whom and why.

They are applied by event time, half open. No entry holds back danger, and none lasts for ever.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from features.stays import Stay
from tickets.alert import Alert, AlertStatus
from vehicle.finding import Severity


class SilenceKind(StrEnum):
    """What an entry is."""

    SILENCE = "silence"
    """Of a model, or of every car."""
    SUPPRESSION = "suppression"
    """Of one car, of which something is known already."""
    WORKSHOP = "workshop"
    """The car is in a workshop: what it tells meanwhile is not judged."""


LONGEST: Final[Mapping[SilenceKind, timedelta]] = MappingProxyType(
    {
        SilenceKind.SILENCE: timedelta(days=90),
        SilenceKind.SUPPRESSION: timedelta(days=366),
        SilenceKind.WORKSHOP: timedelta(days=30),
    }
)
"""What may be kept quiet at one go, so that nothing is forgotten (engineering estimates)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about, as far as entries go by it."""

    vehicle_id: str
    model: str
    component: str
    detector: str


@dataclass(frozen=True, slots=True)
class Lift:
    """The end of an entry before its time; of a workshop stay also, at any time, the workshop's report."""

    silence_id: int
    at: datetime
    author: str
    reason: str
    seen_to: tuple[str, ...] = ()
    """What a workshop has seen to: components, or `features.stays.EVERYTHING`."""


@dataclass(frozen=True, slots=True)
class Silence:
    """One entry; what is None in its scope stands for all."""

    silence_id: int
    kind: SilenceKind
    starts_at: datetime
    ends_at: datetime
    """As it was meant to end, exclusive."""
    author: str
    reason: str
    created_at: datetime
    vehicle_id: str | None = None
    model: str | None = None
    detector: str | None = None
    """A rule's id, or a model's name."""
    component: str | None = None
    lifts: tuple[Lift, ...] = ()
    """In the order in which they were told; all but the first are a workshop's reports."""

    @property
    def lift(self) -> Lift | None:
        """What ended it before its time, or told after that what was seen to; None: nothing has yet."""
        return self.lifts[0] if self.lifts else None

    @property
    def until(self) -> datetime:
        """When it ends or has ended, exclusive."""
        return min([self.ends_at, *(one.at for one in self.lifts)])

    def is_in_force(self, at: datetime) -> bool:
        """Whether it holds at a time."""
        return self.starts_at <= at < self.until

    def covers(self, subject: Subject, at: datetime) -> bool:
        """Whether it keeps quiet what is observed of a subject at a time."""
        scope = (
            (self.vehicle_id, subject.vehicle_id),
            (self.model, subject.model),
            (self.detector, subject.detector),
            (self.component, subject.component),
        )
        return self.is_in_force(at) and all(wanted is None or wanted == it for wanted, it in scope)

    @property
    def stay(self) -> Stay | None:
        """The stay in a workshop that it tells of; None: of none."""
        if self.kind is not SilenceKind.WORKSHOP or self.until <= self.starts_at:
            return None
        seen_to = dict.fromkeys(component for one in self.lifts for component in one.seen_to)
        return Stay(self.silence_id, self.starts_at, self.until, tuple(seen_to))


def mistake(entry: Silence, now: datetime) -> str | None:
    """Why an entry cannot be meant, in one sentence; None: it can."""
    longest = LONGEST[entry.kind]
    if entry.ends_at <= entry.starts_at:
        return "the end must lie after the beginning"
    if entry.ends_at - entry.starts_at > longest:
        return f"a {entry.kind} lasts {longest.days} days at most; it can be made again when it ends"
    if entry.ends_at <= now and entry.kind is not SilenceKind.WORKSHOP:
        return "the end has passed already, so nothing would be kept quiet"
    if not entry.reason.strip():
        return "the reason must say something"
    if not entry.author.strip():
        return "the author must have a name"
    return None


def holder(entries: Iterable[Silence], subject: Subject, at: datetime) -> Silence | None:
    """The entry that keeps a subject quiet at a time: of several the last to end, the first made; None: none does."""
    covering = [one for one in entries if one.covers(subject, at)]
    return max(covering, key=lambda one: (one.until, -one.silence_id), default=None)


def quiet_until(entries: Collection[Silence], subject: Subject, at: datetime) -> datetime:
    """When a subject that is observed at a time may be told of: where one entry ends, another may go on."""
    end = at
    while (one := holder(entries, subject, end)) is not None:
        end = one.until
    return end


def over_alert(
    entries: Collection[Silence], alert: Alert, detectors: Collection[str], model: str, at: datetime
) -> Silence | None:
    """The entry because of which an open alert waits for nobody; None: it is to be looked at.

    All detectors that an alert rests on must be quiet; the entry that ends first is named. What a person has confirmed,
    and danger, is never kept quiet.
    """
    if alert.status is not AlertStatus.OPEN or alert.severity is Severity.DANGER:
        return None
    holders = [
        holder(entries, Subject(alert.vehicle_id, model, alert.component, detector), at)
        for detector in sorted(detectors)
    ]
    known = [one for one in holders if one is not None]
    return min(known, key=lambda one: one.until) if known and len(known) == len(holders) else None
