"""The open problem of one vehicle that a person reviews: all findings of one component and failure mode."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from vehicle.finding import RemainingUsefulLife, Severity


class AlertStatus(StrEnum):
    """Where an alert stands; the first two are open problems, of which a car has one per key."""

    OPEN = "open"
    """Waits for triage or for a person."""
    CONFIRMED = "confirmed"
    """A person or a limit has found it true; it has a ticket."""
    DISMISSED = "dismissed"
    """A person has found it untrue."""
    RESOLVED = "resolved"
    """The workshop has repaired it, or the condition went away."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One problem; its key while open is (vehicle_id, component, failure_mode)."""

    alert_id: UUID
    vehicle_id: str
    component: str
    failure_mode: str
    status: AlertStatus
    severity: Severity
    """The worst of its findings."""
    score: float
    """Of the latest finding."""
    confidence: float
    """The highest of its findings."""
    opened_at: datetime
    """Event time of the first finding."""
    last_seen_at: datetime
    """Event time of the latest finding."""
    finding_count: int = 0
    latest_finding_id: int | None = None
    """The finding whose evidence is shown."""
    locations: tuple[str, ...] = ()
    """All that any of its findings named."""
    cleared_at: datetime | None = None
    """Event time at which a detector saw the condition end; the alert stays open for a person."""
    remaining_useful_life: RemainingUsefulLife | None = None
