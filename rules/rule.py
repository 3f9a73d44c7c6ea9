"""What a rule is: data, as the catalogue's files say it, with every expression parsed, typed and in its units."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from rules.language.tree import Expression, Group
from vehicle.failure import FailureMode, Occasion
from vehicle.finding import Severity

UNKNOWN: Final = "unknown"
"""Stands in `applies_to` for a fact that the registry does not have of a car."""


class Scale(StrEnum):
    """How a measured value is drawn for its course to be straight."""

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"


class Schedule(StrEnum):
    """How often a rule is evaluated; its findings are the same however often."""

    LIVE = "live"
    HOURLY = "hourly"
    DAILY = "daily"


class Latching(StrEnum):
    """What it takes for a rule that fires to end, besides its `until`."""

    NONE = "none"
    """Nothing."""
    WORKSHOP = "workshop"
    """The workshop has seen to it."""
    EXPOSURE = "exposure"
    """As much of what brings the fault out as `Latch.lasting` without the fault; or the workshop."""


@dataclass(frozen=True, slots=True)
class Latch:
    """How a rule for an intermittent fault is kept open."""

    kind: Latching = Latching.NONE
    exposure: Expression | None = None
    """A truth: the time during which it is true and `when` is not counts towards `lasting`, from zero after `when`."""
    lasting: timedelta = timedelta()
    text: str = ""
    """`exposure` as it is written."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Where the component fails, for the remaining useful life."""

    value: float
    """Of the gauge."""
    scale: Scale
    """On which the gauge runs there in a straight line."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """The number that a rule watches: the first side of a comparison in its `when` that is no constant."""

    expression: Expression
    unit: str
    above: bool
    """Whether the abnormal lies above the thresholds."""
    enter: float
    """The threshold in `when`."""
    leave: float | None
    """The threshold of the same expression in `until`, if that has one."""
    title: str
    """What is measured, in words."""
    relative_to: Expression | None = None
    """Of a rule on `x / baseline(x)`, `x`: what a chart shows."""

    def beyond(self, value: float, threshold: float) -> bool:
        """Whether a value lies further on the abnormal side than a threshold."""
        return value > threshold if self.above else value < threshold


@dataclass(frozen=True, slots=True)
class Part:
    """Which of like parts a rule on the car as a whole means."""

    group: Group
    number: Expression
    """From 1."""
    text: str
    """`number` as it is written."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the severity ladder."""

    when: Expression
    """A truth; the first rung's is the rule's own `when`."""
    threshold: float | None
    """Of the gauge, where `when` compares it."""
    severity: Severity
    confidence: float
    """How sure the rule is once this far; the share of its findings that proved right, where that is known."""
    text: str
    """`when` as it is written."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue."""

    rule_id: str
    system: str
    """Of the vehicle, in words; the file's."""
    title: str
    failure_mode: Occasion
    when: Expression
    """A truth: it begins to fire once this has held for `lasting`, at no fewer than `observations` samples."""
    until: Expression
    """A truth: it ends once this has held for `keep_firing_for`."""
    lasting: timedelta
    """The field `for`; no sample at which `when` is false lies in between, and no long silence."""
    keep_firing_for: timedelta
    observations: int
    valid_when: Expression | None
    """A truth: where it is not true, everything else is unknown."""
    group: Group | None
    """Whose members fire each by itself; None: the car as a whole."""
    part: Part | None
    """Of a rule on the car as a whole; None: it names none."""
    gauge: Gauge | None
    """None where `when` compares no number with a constant, as of a trouble code."""
    ladder: tuple[Rung, ...]
    """By growing severity."""
    look_back: timedelta
    """The longest time before a sample that any expression rests on."""
    history: timedelta
    """How much of the gauge a finding shows, and the remaining useful life rests on."""
    applies_to: tuple[tuple[str, tuple[str, ...]], ...]
    """Facts of the registry, each with the values of which a car must have one: `UNKNOWN` where it is not known."""
    software: tuple[str, ...]
    """Versions, or beginnings of them and ``*``, at which it is judged; where the car has another, it does not hold and
    ends; where none is known, all is unknown. None given: it is judged whatever the version."""
    latch: Latch
    inhibited_by: tuple[str, ...]
    """Rules that, while they fire for a car, keep this one from telling anything new."""
    schedule: Schedule
    limit: Limit | None
    evidence: tuple[str, ...]
    """Signals an engineer should look at."""
    explanation: str
    clears_when: str
    source: str
    estimate: bool
    """The thresholds are an engineering estimate, not a published figure."""
    triggered_by: FailureMode | None
    """The fault that must make it fire: simulated, or of those that no simulated car has, injected into a recording;
    None of a service item, which no fault brings about."""
    must_not_fire_on: tuple[str, ...]
    """Simulated confounders that must not."""
    when_text: str
    """`when`, `until` and `valid_when` as they are written."""
    until_text: str
    valid_text: str
