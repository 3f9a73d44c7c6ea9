"""Runs rules over their test cases, and says what is not as expected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rules.cases import START, Trial
from rules.detector import RuleDetector
from rules.rule import Rule
from vehicle.finding import Finding

Told = tuple[timedelta, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One case of which other findings come out."""

    rule_id: str
    case: str
    expected: tuple[Told, ...]
    found: tuple[Told, ...]

    def __str__(self) -> str:
        return f"{self.rule_id}, {self.case}: expected {_in_words(self.expected)}; found {_in_words(self.found)}"


def wrong(trials: Sequence[Trial], rules: Sequence[Rule]) -> Iterator[Wrong]:
    """The cases that come out other than expected; one of a rule that there is not comes out with nothing found."""
    by_id = {rule.rule_id: rule for rule in rules}
    for trial in trials:
        found = findings(by_id[trial.rule_id], trial) if trial.rule_id in by_id else []
        told = tuple(map(_told, found))
        if told != trial.expected:
            yield Wrong(trial.rule_id, trial.name, trial.expected, told)


def findings(rule: Rule, trial: Trial) -> list[Finding]:
    """What a rule finds in a case."""
    return RuleDetector(rule).evaluate(trial.vehicle, trial.panels, None)[1]


def untried(trials: Sequence[Trial], rules: Sequence[Rule]) -> list[str]:
    """The rules of which no case expects a finding, or none expects that there is none."""
    firing = {trial.rule_id for trial in trials if trial.expected}
    silent = {trial.rule_id for trial in trials if not trial.expected}
    return [rule.rule_id for rule in rules if rule.rule_id not in firing & silent]


def _told(finding: Finding) -> Told:
    return finding.observed_at - START, "" if finding.cleared else finding.severity.name.lower(), finding.locations


def _in_words(told: Sequence[Told]) -> str:
    words = []
    for at, severity, where in told:
        place = f" at {', '.join(where)}" if where else ""
        words.append(f"{severity or 'the end'}{place} after {at / timedelta(hours=1):g} h")
    return ", then ".join(words) or "nothing"
