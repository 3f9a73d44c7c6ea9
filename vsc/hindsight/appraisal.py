"""One version of the rules in one view of a history: its fires, each with what is known of it, and what it is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from flows.backtest import Backtest
from rules.rule import Rule
from vehicle.vehicle import VehicleRecord
from vsc.hindsight.reference import Reference
from vsc.hindsight.score import Answered, Score, answers, score, whole


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What came of one version in one view."""

    rules: tuple[Rule, ...]
    found: Backtest
    answered: Mapping[str, Sequence[Answered]]
    """The fires by rule."""
    scores: tuple[Score, ...]
    """In the order of the rules."""
    whole: Score
    """All rules together."""
    says: str | None
    """Who says what was right: ``truth``, ``verdicts``, or nobody."""

    def plain(self) -> dict[str, Any]:
        """The same for `--json`."""
        return {
            "samples": self.found.samples,
            "vehicle_days": self.found.vehicle_days,
            "span": list(self.found.span),
            "reference": self.says,
            "all": asdict(self.whole),
            "rules": [asdict(one) for one in self.scores],
            "fires": [
                {**asdict(one.fire), "answer": one.answer.value} for each in self.answered.values() for one in each
            ],
        }


def appraise(
    rules: tuple[Rule, ...],
    found: Backtest,
    vehicles: Mapping[str, VehicleRecord],
    reference: Reference | None,
    shift: timedelta,
) -> Appraisal:
    """Say what rules are worth by what they found."""
    answered = {rule.rule_id: answers(rule, found, reference) for rule in rules}
    return Appraisal(
        rules,
        found,
        answered,
        tuple(score(rule, found, vehicles, reference, shift) for rule in rules),
        whole([one for each in answered.values() for one in each], found, vehicles, reference, shift),
        reference.name if reference else None,
    )
