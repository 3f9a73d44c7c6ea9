"""A rule as a detector: the same two members as every model."""

from dataclasses import dataclass
from typing import Any

from features.panel import Observations
from rules.engine.columns import batch_of
from rules.engine.judge import judge
from rules.engine.memory import restore
from rules.engine.needs import needs
from rules.rule import Rule
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord


@dataclass(frozen=True, slots=True)
class RuleDetector:
    """One rule of the catalogue at work."""

    rule: Rule

    @property
    def name(self) -> str:
        """The rule's id."""
        return self.rule.rule_id

    def evaluate(self, vehicle: VehicleRecord, observations: Observations, state: Any) -> tuple[Any, list[Finding]]:
        """Judge new observations in the light of the state; returns the state after them, and what is news.

        Observations may hold signals, and trouble codes' status bytes by the codes, beside features.
        """
        memory = restore(state)
        needed = needs(self.rule)
        told = {name: one for name, one in observations.items() if needed.uses(name)}
        findings = judge(self.rule, batch_of([(vehicle, told)]), [memory])
        return (state if memory.judged < 0 else memory.plain()), findings
