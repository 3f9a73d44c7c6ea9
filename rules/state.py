"""What a rule remembers of one vehicle between two runs: plain data, so that a run can stop anywhere and go on."""

from datetime import timedelta
from typing import Any, Final

import msgspec

from rules.threshold_rule import Rule

MAX_RECENT: Final = 120
"""Observations kept at most, whatever the span: enough for a trend and a chart, and the state stays small."""

SIGNIFICANT: Final = 6
"""Decimal digits that are kept of a value: more than any sensor has."""
MICROSECOND: Final = timedelta(microseconds=1)


class PartState(msgspec.Struct, omit_defaults=True):
    """One location's part of it; times are microseconds since 1970, UTC."""

    recent: list[tuple[int, float]] = []
    """The feature's latest observations, oldest first."""
    first: list[float] = []
    """Its first ones, from which a change is counted."""
    streak: list[tuple[int, float]] = []
    """The latest measured values beyond the enter threshold, without a break."""
    streak_since: int = 0
    rung: int = 0
    """How far up the severity ladder, from 1; 0 while the rule does not hold here."""
    well_since: int | None = None
    """While the rule holds: since when the measure lies within the exit threshold, without a break."""
    measured: float = 0.0
    """The latest measured value."""

    def remember(self, rule: Rule, at: int, value: float) -> None:
        """Take note of an observation and let go of what is older than the rule looks back."""
        value = float(f"{value:.{SIGNIFICANT}g}")
        oldest = at - rule.over // MICROSECOND
        self.recent = [pair for pair in self.recent[1 - MAX_RECENT :] if pair[0] > oldest]
        self.recent.append((at, value))

    def extend_streak(self, rule: Rule, at: int, measured: float) -> None:
        """Count one more measured value beyond the enter threshold."""
        if not self.streak:
            self.streak_since = at
        self.streak = [*self.streak[1 - rule.enter.observations :], (at, measured)][-rule.enter.observations :]


class RuleState(msgspec.Struct, omit_defaults=True):
    """What one rule remembers of one vehicle, by location."""

    parts: dict[str, PartState] = {}

    def rungs(self) -> dict[str, int]:
        """How far up the ladder each location stands at which the rule holds."""
        return {location: part.rung for location, part in self.parts.items() if part.rung}

    def plain(self) -> Any:
        """The same as JSON values."""
        return msgspec.to_builtins(self)


def restore(plain: Any) -> RuleState:
    """The state that `plain` holds; None: nothing is known yet."""
    return RuleState() if plain is None else msgspec.convert(plain, RuleState)
