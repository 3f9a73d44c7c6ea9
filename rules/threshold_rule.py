"""What a rule is: data, as the catalogue's files say it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from vehicle.failure import FailureMode
from vehicle.finding import Severity


class Measure(StrEnum):
    """What of a feature is compared with the thresholds."""

    VALUE = "value"
    """The observation itself."""
    SLOPE = "slope"
    """Its change per day, as far as the observations of `over` prove one."""
    CHANGE = "change"
    """What it has changed since the car's first observations, in % of them."""


class Direction(StrEnum):
    """On which side of a threshold the abnormal lies."""

    BELOW = "below"
    ABOVE = "above"


class Scale(StrEnum):
    """How a feature is drawn for its course to be straight."""

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"


@dataclass(frozen=True, slots=True)
class Enter:
    """When a rule begins to fire: beyond the threshold at every observation for `lasting`, and at so many of them."""

    threshold: float
    lasting: timedelta
    observations: int


@dataclass(frozen=True, slots=True)
class Exit:
    """When it ends: within the threshold at every observation for `hold`."""

    threshold: float
    hold: timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """Where the component fails, for the remaining useful life."""

    value: float
    """Of the feature."""
    scale: Scale
    """On which the feature runs there in a straight line."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the severity ladder."""

    threshold: float
    severity: Severity
    confidence: float
    """How sure the rule is once this far; the share of its findings that proved right, where that is known."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue."""

    rule_id: str
    system: str
    """Of the vehicle, in words; the file's."""
    title: str
    failure_mode: FailureMode
    feature: str
    unit: str
    """Of the measure."""
    measure: Measure
    over: timedelta
    """How far back observations are looked at, and shown as evidence."""
    direction: Direction
    enter: Enter
    exit: Exit
    ladder: tuple[Rung, ...]
    """By growing severity; the first stands at the enter threshold."""
    applies_to: tuple[tuple[str, str], ...]
    """Facts of the registry that a car must have; a car of which the fact is not known is left alone."""
    limit: Limit | None
    evidence: tuple[str, ...]
    """Signals an engineer should look at."""
    explanation: str
    clears_when: str
    source: str
    estimate: bool
    """The thresholds are an engineering estimate, not a published figure."""
    triggered_by: str
    """The simulated fault that must make it fire."""
    must_not_fire_on: tuple[str, ...]
    """Simulated confounders that must not."""

    def beyond(self, value: float, threshold: float) -> bool:
        """Whether a measured value lies on the abnormal side of a threshold, itself included."""
        return value <= threshold if self.direction is Direction.BELOW else value >= threshold
