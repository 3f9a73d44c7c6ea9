"""Rules that keep others quiet while they hold: a finding that is held back is told once nothing inhibits it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rules.engine.memory import restore
from rules.rule import Rule

Span = tuple[int, int]
"""Microseconds since 1970, half open."""
FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Quiet:
    """When a rule is inhibited on one car, within a run."""

    spans: tuple[Span, ...] = ()

    def at(self, time: int) -> bool:
        """Whether it is."""
        return any(start <= time < end for start, end in self.spans)

    @property
    def ends(self) -> tuple[int, ...]:
        """When it may be no more."""
        return tuple(sorted({end for _, end in self.spans if end < FOREVER}))


def quiet(rule: Rule, car: int, holding: Mapping[str, Mapping[int, Sequence[Span]]]) -> Quiet:
    """When a rule is inhibited, by when the rules judged before it have held on which car."""
    return Quiet(tuple(span for name in rule.inhibited_by for span in holding.get(name, {}).get(car, ())))


def inhibitors_first(rules: Iterable[Rule]) -> list[Rule]:
    """The rules, each after those that inhibit it."""
    by_id = {rule.rule_id: rule for rule in rules}
    ordered: dict[str, Rule] = {}

    def place(rule: Rule, above: frozenset[str]) -> None:
        for name in rule.inhibited_by:
            if name in by_id and name not in ordered and name not in above:
                place(by_id[name], above | {rule.rule_id})
        ordered.setdefault(rule.rule_id, rule)

    for rule in by_id.values():
        place(rule, frozenset())
    return [*ordered.values()]


def withheld(rules: Iterable[Rule], states: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Why no finding came of rules that hold on a car: by their ids those that inhibit them.

    Args:
        rules: the catalogue.
        states: what the rules remember of the car, as `Memory.plain` gives it.
    """
    memories = {rule: restore(states[rule.rule_id], len(rule.ladder)) for rule in rules if rule.rule_id in states}
    holding = {rule.rule_id for rule, memory in memories.items() if memory.rungs()}
    return {
        rule.rule_id: tuple(name for name in rule.inhibited_by if name in holding)
        for rule, memory in memories.items()
        if memory.withheld and rule.rule_id in holding
    }
