"""One detector's claim about one vehicle (ISO 13374 state detection, ISO 13381 prognosis)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Severity(IntEnum):
    """How bad, ordered; `DANGER` means do not drive or do not charge, and is never hidden."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3
    DANGER = 4


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One line of a chart: a named series that the finding rests on."""

    label: str
    unit: str
    times: NDArray[np.datetime64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a detector says what it says: enough to judge it without the detector."""

    summary: str
    """One sentence with figures and units, for an engineer."""
    clears_when: str
    """What would make the finding go away."""
    traces: tuple[Trace, ...] = ()
    threshold: float | None = None
    """What the first trace was measured against, in its unit."""
    threshold_label: str = ""
    missing: str = ""
    """One sentence on what was not known of the time looked at; empty: all that was sampled."""


@dataclass(frozen=True, slots=True)
class RemainingUsefulLife:
    """Days until functional failure, with its interval (ISO 13381-1)."""

    low_days: float
    expected_days: float
    high_days: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim: this component of this vehicle shows this failure mode, seen at this event time."""

    vehicle_id: str
    component: str
    failure_mode: str
    detector: str
    """Rule id or model name."""
    score: float
    """High is abnormal; 1 is the detector's own threshold."""
    severity: Severity
    confidence: float
    """0 to 1: how sure the detector is; triage opens tickets by itself only above its limit."""
    observed_at: datetime
    """Event time at which the claim could first be made."""
    window_start: datetime
    window_end: datetime
    evidence: Evidence
    locations: tuple[str, ...] = ()
    """Which of several like parts: cells (V_81) or wheels (fl)."""
    cleared: bool = False
    """The condition that an earlier finding told of has ended."""
    remaining_useful_life: RemainingUsefulLife | None = field(default=None)
