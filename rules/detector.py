"""A rule as a detector: the same two members as every model."""

from dataclasses import dataclass
from typing import Any

from features.panel import Observations
from rules.engine import judge
from rules.state import restore
from rules.threshold_rule import Rule
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
        """Judge new observations in the light of the state; returns the state after them, and what is news."""
        panel = observations.get(self.rule.feature)
        if panel is None or any(getattr(vehicle, name) != fact for name, fact in self.rule.applies_to):
            return state, []
        rule_state = restore(state)
        findings = judge(self.rule, vehicle.vehicle_id, rule_state, panel)
        return rule_state.plain(), findings
