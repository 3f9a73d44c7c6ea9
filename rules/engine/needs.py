"""What a rule needs to be judged: series, trouble codes, states, and how far back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from typing import Final

from features.states import STATE_HELD
from rules.engine.doing import SIGNALS
from rules.language.tree import (
    Absent,
    Baseline,
    Code,
    CodeCount,
    Expression,
    InState,
    Over,
    Series,
    Since,
    Source,
)
from rules.language.walk import look_back, series_of, walk
from rules.rule import Rule

_OF_STATES: Final = (InState, Since, Absent)


@dataclass(frozen=True)
class Needs:
    """Of one rule."""

    series: tuple[Series, ...]
    codes: tuple[str, ...]
    """Trouble codes, or beginnings of them and ``*``."""
    baselines: tuple[Baseline, ...]
    absent: tuple[Absent, ...]
    windows: tuple[Over | Absent, ...]
    """All windows of values, the inner ones first."""
    states: bool
    """Whether it asks what the car was doing."""
    reach: timedelta
    """How long before a sample the values lie that it rests on."""
    state_reach: timedelta
    """The same of what the car was doing."""
    states_back: timedelta
    """How long before a sample the states lie that its windows ask for."""

    @property
    def beats(self) -> bool:
        """Whether it is judged at the samples that tell what the car was doing, too."""
        return bool(self.codes or self.absent) or not self.series

    @cached_property
    def signals(self) -> tuple[str, ...]:
        """The signals, arrays too."""
        named = [name for one in self.series if one.source is not Source.FEATURE for name in one.members]
        return tuple(dict.fromkeys([*named, *(SIGNALS if self.states or self.beats else ())]))

    def uses(self, name: str) -> bool:
        """Whether it needs a signal, feature or trouble code."""
        return name in self.signals or name in self.features or any(is_meant(name, code) for code in self.codes)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features."""
        return tuple(dict.fromkeys(one.name for one in self.series if one.source is Source.FEATURE))


@cache
def needs(rule: Rule) -> Needs:
    """What a rule needs."""
    nodes = [node for one in _expressions(rule) for node in walk(one)]
    return Needs(
        series=tuple(dict.fromkeys(series for one in _expressions(rule) for series in series_of(one))),
        codes=tuple(dict.fromkeys(node.code for node in nodes if isinstance(node, Code | CodeCount))),
        baselines=tuple(dict.fromkeys(node for node in nodes if isinstance(node, Baseline))),
        absent=tuple(dict.fromkeys(node for node in nodes if isinstance(node, Absent))),
        windows=tuple(dict.fromkeys(node for node in reversed(nodes) if isinstance(node, Over | Absent))),
        states=any(isinstance(node, _OF_STATES) for node in nodes),
        reach=rule.look_back,
        state_reach=max((look_back(one) for one in _expressions(rule) if _asks_for_states(one)), default=timedelta()),
        states_back=max((look_back(one) for one in _expressions(rule) if _in_a_window(one)), default=timedelta()),
    )


def margin(rules: Iterable[Rule]) -> timedelta:
    """How much of the samples before those to be judged the rules must be given: windows, and what stands so long.

    Features and trouble codes are remembered.
    """
    return max((rule.look_back for rule in rules if needs(rule).signals), default=timedelta()) + STATE_HELD


def signals(rules: Iterable[Rule]) -> tuple[str, ...]:
    """All signals that rules need."""
    return tuple(dict.fromkeys(name for rule in rules for name in needs(rule).signals))


def is_meant(name: str, pattern: str) -> bool:
    """Whether a name is that of a trouble code that a pattern means."""
    return name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]) and name[:1].isupper())


def _asks_for_states(node: Expression) -> bool:
    return any(isinstance(one, _OF_STATES) for one in walk(node))


def _in_a_window(node: Expression) -> bool:
    return any(isinstance(one, Over) and _asks_for_states(one.operand) for one in walk(node))


def _expressions(rule: Rule) -> Iterator[Expression]:
    yield rule.when
    yield rule.until
    yield from (rung.when for rung in rule.ladder[1:])
    yield from (one for one in (rule.valid_when, rule.latch.exposure) if one is not None)
    if rule.part:
        yield rule.part.number
    if rule.gauge:
        yield rule.gauge.expression
