"""Fires against what engineers said of the alerts of that time, and what workshops found: where no truth is known.

A fire takes the answer of the alert of the same car, component and failure mode whose time it overlaps. An engineer's
decision goes before a workshop's report; of several alerts the one that was answered last counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from features.stays import Stay
from flows.backtest import Fire
from rules.rule import Rule
from storage.decisions import Decision, Verdict
from tickets.alert import Alert, AlertStatus
from vsc.hindsight.reference import Answer, Found


@dataclass(frozen=True, slots=True)
class AnsweredAlert:
    """An alert of which somebody has said whether it was right."""

    alert: Alert
    answer: Answer
    at: datetime
    """When it was said."""

    def covers(self, fire: Fire) -> bool:
        """Whether a fire on the alert's car lies at its time, at least in part."""
        end = self.alert.cleared_at
        if self.alert.status is AlertStatus.DISMISSED:
            end = min(end or self.at, self.at)
        begun = end is None or fire.started_at <= max(end, self.alert.opened_at)
        return begun and (fire.ended_at is None or fire.ended_at >= self.alert.opened_at)


@dataclass(frozen=True)
class VerdictReference:
    """What was said of alerts; of most fires nothing is known."""

    answered: tuple[AnsweredAlert, ...]
    name: str = "verdicts"

    def answer(self, rule: Rule, fire: Fire) -> Answer:
        """What was last said of an alert at a fire's time."""
        key = (fire.vehicle_id, rule.failure_mode.component, str(rule.failure_mode))
        said = [one for one in self._by_problem.get(key, ()) if one.covers(fire)]
        return max(said, key=lambda one: one.at).answer if said else Answer.UNKNOWN

    def found(self, rule: Rule, fires: Sequence[Fire]) -> Found:  # noqa: ARG002 - as the protocol has it
        """Nothing: nobody knows of the faults that no alert told of."""
        return Found()

    def is_odd(self, fire: Fire) -> bool:  # noqa: ARG002 - as the protocol has it
        """Not known."""
        return False

    @cached_property
    def _by_problem(self) -> dict[tuple[str, str, str], list[AnsweredAlert]]:
        problems: dict[tuple[str, str, str], list[AnsweredAlert]] = {}
        for one in self.answered:
            key = (one.alert.vehicle_id, one.alert.component, one.alert.failure_mode)
            problems.setdefault(key, []).append(one)
        return problems


def answered(alert: Alert, decisions: Sequence[Decision], stays: Iterable[Stay]) -> AnsweredAlert | None:
    """What was said of an alert; None: nothing yet.

    Args:
        alert: any.
        decisions: about it, in their order.
        stays: of its car in workshops; one that has seen to the alert's component by name bears the alert out.
    """
    if decisions:
        latest = decisions[-1]
        right = latest.verdict is Verdict.CONFIRM
        return AnsweredAlert(alert, Answer.RIGHT if right else Answer.WRONG, latest.at)
    seen_to = [
        stay.end
        for stay in stays
        if alert.component in stay.seen_to
        and stay.end > alert.opened_at
        and (alert.cleared_at is None or stay.start <= alert.cleared_at)
    ]
    return AnsweredAlert(alert, Answer.RIGHT, min(seen_to)) if seen_to else None
