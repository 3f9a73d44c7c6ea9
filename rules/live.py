"""Which rules can be judged as samples arrive, and which only with the whole day."""

from collections.abc import Iterable

from rules.rule import Rule, Schedule


def live_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Those that are evaluated live and are inhibited by such rules only: all others wait for what a day shows."""
    chosen = [rule for rule in rules if rule.schedule is Schedule.LIVE]
    while True:
        names = {rule.rule_id for rule in chosen}
        kept = [rule for rule in chosen if names.issuperset(rule.inhibited_by)]
        if len(kept) == len(chosen):
            return tuple(kept)
        chosen = kept
