"""The course of one fault of one car: when it showed, when the part failed, and what the workshop did about it."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from simulator.fault_modes import FAULT_MODES, FaultMode
from simulator.faults import Fault


class Result(StrEnum):
    """What a visit came to."""

    REPAIRED = "repaired"
    NO_FAULT_FOUND = "no_fault_found"
    WRONG_PART = "wrong_part"
    NOT_CURED = "not_cured"
    """The right part was replaced, and the symptom is still there."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One day in the workshop for one fault."""

    day: int
    """Since the fleet's start."""
    result: Result
    replaced: tuple[str, ...]
    """Parts."""


@dataclass(slots=True)
class Course:
    """What has become of a fault so far; times in seconds since the fleet's start, infinite: not yet."""

    fault: Fault
    visible_s: float = np.inf
    failed_s: float = np.inf
    next_visit: float = np.inf
    """The day on which the car is in the workshop for it."""
    visits: list[Visit] = field(default_factory=list)

    @property
    def mode(self) -> FaultMode:
        """The table's entry."""
        return FAULT_MODES[self.fault.order.mode]

    @property
    def repaired(self) -> bool:
        """Whether the fault has ended."""
        return bool(np.isfinite(self.fault.repaired_s))

    @property
    def stranded_s(self) -> float:
        """When the car breaks down of it."""
        return self.failed_s if self.mode.strands else np.inf
