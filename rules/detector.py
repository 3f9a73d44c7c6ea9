"""Rules as detectors: one by itself, as every model is, or all together, as they inhibit each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.panel import Observations
from rules.engine.columns import batch_of, is_visit
from rules.engine.judge import judge_all
from rules.engine.memory import restore
from rules.engine.needs import needs
from rules.rule import Rule
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Rules at work together."""

    rules: tuple[Rule, ...]

    def evaluate(
        self, vehicle: VehicleRecord, observations: Observations, states: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Finding]]:
        """Judge new observations in the light of the rules' states; the states after them, and what is news.

        Observations may hold signals, trouble codes' status bytes by the codes, and when a workshop gave the car back,
        beside features.
        """
        needed = [needs(rule) for rule in self.rules]
        told = {
            name: one for name, one in observations.items() if is_visit(name) or any(each.uses(name) for each in needed)
        }
        memories = {rule.rule_id: [restore(states.get(rule.rule_id), len(rule.ladder))] for rule in self.rules}
        findings = judge_all(self.rules, batch_of([(vehicle, told)]), memories)
        after = {name: one.plain() for name, (one,) in memories.items() if one.judged >= 0}
        return after, findings


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
        states, findings = RuleBook((self.rule,)).evaluate(vehicle, observations, {self.name: state})
        return states.get(self.name), findings
