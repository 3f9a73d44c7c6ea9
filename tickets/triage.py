"""Findings become alerts, alerts become orders: pure functions that say why.

One alert per vehicle, component and failure mode. Merging is idempotent, and the order in which findings come does not
matter; nothing that is done here hides a finding of danger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from tickets.alert import Alert, AlertStatus
from tickets.catalogue import Catalogue, Fault
from tickets.silence import Silence
from tickets.ticket import Channel
from vehicle.finding import Finding, RemainingUsefulLife, Severity

ALERT_NAMES: Final = UUID("5a3d5f0e-5f0b-5d0c-9a51-6a1f1c0a7e11")
"""Alert ids are made from it and the first finding's key and time: the same findings give the same alert."""
DISMISSAL_HOLDS: Final = timedelta(days=30)
"""How long after it was last seen a dismissed problem stays dismissed, unless it gets worse."""
OPEN_STATUSES: Final = (AlertStatus.OPEN, AlertStatus.CONFIRMED)
KNOWN_STATUSES: Final = (*OPEN_STATUSES, AlertStatus.DISMISSED)
"""The alerts that `merge` has to be told of."""

MOST_NAMED: Final = 6
"""Locations that a title names."""

_Key = tuple[str, str, str]
_Weight = tuple[datetime, float, tuple[float, ...]]


class ChangeKind(StrEnum):
    """What merging did to an alert."""

    OPENED = "opened"
    AMENDED = "amended"
    CLEARED = "cleared"
    """The condition has ended; the alert stays for a person to close."""


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert as it is after merging; numbers of findings are the store's to fill in."""

    kind: ChangeKind
    alert: Alert
    latest: Finding | None
    """The finding whose evidence now counts; None: the one that counted before."""


class WaitReason(StrEnum):
    """Why an alert makes no ticket by itself."""

    NOT_OPEN = "not_open"
    """A person or the workshop has settled it."""
    UNKNOWN_FAULT = "unknown_fault"
    """The fault catalogue does not know the failure mode."""
    CLEARED = "cleared"
    """The condition went away before there was a ticket."""
    ONLY_INFORMATION = "only_information"
    """Worth knowing, not worth an appointment."""
    UNCERTAIN = "uncertain"
    """The detectors are less sure than the fault catalogue asks for."""
    SILENCED = "silenced"
    """A person keeps it quiet for a while, or the car is in a workshop."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An engineer decides."""

    reason: WaitReason


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done about an alert."""

    title: str
    action: str
    channel: Channel
    parts: tuple[str, ...]
    due_at: datetime


def merge(findings: Iterable[Finding], known: Iterable[Alert]) -> list[AlertChange]:
    """What findings change, given all alerts of `KNOWN_STATUSES` about their vehicles; told twice, nothing more."""
    alerts = list(known)
    open_alerts = {_key(alert): alert for alert in alerts if alert.status in OPEN_STATUSES}
    dismissed = [alert for alert in alerts if alert.status is AlertStatus.DISMISSED]
    heard: dict[_Key, list[Finding]] = {}
    for finding in findings:
        if not any(_mutes(alert, finding) for alert in dismissed):
            heard.setdefault(_key(finding), []).append(finding)
    changes = (_change(open_alerts.get(key), heard[key]) for key in sorted(heard))
    return [change for change in changes if change]


def decide(alert: Alert, catalogue: Catalogue, silence: Silence | None = None) -> Order | Wait:
    """The order an alert makes by itself, or why it waits; danger waits for nobody, nor for `silence` to end."""
    fault = catalogue.get(alert.failure_mode)
    if fault is None:
        return Wait(WaitReason.UNKNOWN_FAULT)
    reason = _reason_to_wait(alert, fault, silence)
    if reason:
        return Wait(reason)
    return Order(
        title=fault.title + _named(alert.locations),
        action=fault.action,
        channel=fault.channel.of(alert.severity),
        parts=tuple(map(str, fault.parts)),
        due_at=alert.last_seen_at + _time_left(fault.due_days.of(alert.severity), alert.remaining_useful_life),
    )


def _reason_to_wait(alert: Alert, fault: Fault, silence: Silence | None) -> WaitReason | None:
    if alert.status not in OPEN_STATUSES:
        return WaitReason.NOT_OPEN
    if alert.severity is Severity.DANGER or alert.status is AlertStatus.CONFIRMED:
        return None
    if silence is not None:
        return WaitReason.SILENCED
    if alert.cleared_at is not None:
        return WaitReason.CLEARED
    if alert.severity is Severity.INFO:
        return WaitReason.ONLY_INFORMATION
    return WaitReason.UNCERTAIN if alert.confidence < fault.minimum_confidence else None


def _named(locations: Sequence[str]) -> str:
    if not locations:
        return ""
    more = f" and {len(locations) - MOST_NAMED} more" if len(locations) > MOST_NAMED else ""
    return f" ({', '.join(locations[:MOST_NAMED])}{more})"


def _key(about: Alert | Finding) -> _Key:
    return about.vehicle_id, about.component, about.failure_mode


def _mutes(dismissed: Alert, finding: Finding) -> bool:
    """Whether a person has answered this already: the same problem, no worse, not long after."""
    return (
        finding.severity is not Severity.DANGER
        and _key(dismissed) == _key(finding)
        and finding.severity <= dismissed.severity
        and finding.observed_at < dismissed.last_seen_at + DISMISSAL_HOLDS
    )


def _change(before: Alert | None, findings: list[Finding]) -> AlertChange | None:
    seen = sorted((finding for finding in findings if not finding.cleared), key=_finding_weight)
    start = before or (_opened(seen[0]) if seen else None)
    if start is None:
        return None
    latest = seen[-1] if seen and _finding_weight(seen[-1]) > _alert_weight(start) else None
    after = start
    for finding in seen:
        after = _widened(after, finding)
    ends = [after.cleared_at, *(finding.observed_at for finding in findings if finding.cleared)]
    ended_at = max((at for at in ends if at and at > after.last_seen_at), default=None)
    after = replace(after, cleared_at=ended_at)
    if before is None:
        return AlertChange(ChangeKind.OPENED, after, seen[-1])
    if after == before:
        return None
    ended = after.cleared_at and not before.cleared_at
    return AlertChange(ChangeKind.CLEARED if ended else ChangeKind.AMENDED, after, latest)


def _opened(finding: Finding) -> Alert:
    name = "/".join((*_key(finding), finding.observed_at.isoformat()))
    return Alert(
        alert_id=uuid5(ALERT_NAMES, name),
        vehicle_id=finding.vehicle_id,
        component=finding.component,
        failure_mode=finding.failure_mode,
        status=AlertStatus.OPEN,
        severity=finding.severity,
        score=finding.score,
        confidence=finding.confidence,
        opened_at=finding.observed_at,
        last_seen_at=finding.observed_at,
        locations=finding.locations,
        remaining_useful_life=finding.remaining_useful_life,
    )


def _widened(alert: Alert, finding: Finding) -> Alert:
    newest = _finding_weight(finding) > _alert_weight(alert)
    return replace(
        alert,
        severity=max(alert.severity, finding.severity),
        confidence=max(alert.confidence, finding.confidence),
        opened_at=min(alert.opened_at, finding.observed_at),
        locations=tuple(sorted({*alert.locations, *finding.locations}, key=_by_number)),
        last_seen_at=max(alert.last_seen_at, finding.observed_at),
        score=finding.score if newest else alert.score,
        remaining_useful_life=finding.remaining_useful_life if newest else alert.remaining_useful_life,
    )


def _by_number(location: str) -> tuple[int, str]:
    """V_2 before V_81."""
    return len(location), location


def _finding_weight(finding: Finding) -> _Weight:
    return _weight(finding.observed_at, finding.score, finding.remaining_useful_life)


def _alert_weight(alert: Alert) -> _Weight:
    return _weight(alert.last_seen_at, alert.score, alert.remaining_useful_life)


def _weight(at: datetime, score: float, life: RemainingUsefulLife | None) -> _Weight:
    """The latest counts; of the same moment the most alarming, so that it does not matter which came first."""
    return at, score, (-life.expected_days, -life.low_days, -life.high_days) if life else ()


def _time_left(rule: timedelta, life: RemainingUsefulLife | None) -> timedelta:
    return min(rule, timedelta(days=max(life.low_days, 0))) if life else rule
