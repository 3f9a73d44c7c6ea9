"""What rules are worth over a history: per rule, all together, and two versions beside each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median
from typing import Any, Final

from flows.backtest import Backtest, Fire
from rules.rule import Rule
from vehicle.vehicle import VehicleRecord
from vsc.hindsight.reference import Answer, Reference
from vsc.hindsight.shifts import USUAL, ShiftLoad, shift_load

MONTH: Final = timedelta(days=30)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Score:
    """One rule's; what nobody knows is None."""

    rule_id: str
    fires: int
    vehicles: int
    """On how many different cars."""
    alerts_per_vehicle_month: float
    per_shift: ShiftLoad
    true_fires: int | None = None
    """Those that are known to be right."""
    precision: float | None = None
    """True fires over those that are known to be right or wrong; None also if there were none."""
    without_verdict: int | None = None
    """Fires of which nobody has said whether they are right."""
    faults: int | None = None
    """Of the mode, on cars that the rule is for, that showed within the history."""
    recall: float | None = None
    """The share of them that it fired on."""
    lead_days: float | None = None
    """Median of the days from when a fault's first fire was known to its failure, of those that fail within the
    history."""
    on_confounders: int | None = None
    """False fires on cars that show something odd at that time."""
    delay_hours: float | None = None
    """As known then: median from a fire's event time to when it was known."""
    taken_back: int | None = None
    """As known then: fires that samples which came later did not bear out."""
    models: Mapping[str, int] | None = None
    """Fires by the cars' model."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A fire and what is known of it."""

    fire: Fire
    answer: Answer


def answers(rule: Rule, found: Backtest, reference: Reference | None) -> list[Answered]:
    """A rule's fires, in the order in which they were seen."""
    fires = sorted((one for one in found.fires if one.rule_id == rule.rule_id), key=lambda one: one.seen_at)
    return [Answered(one, reference.answer(rule, one) if reference else Answer.UNKNOWN) for one in fires]


def score(
    rule: Rule,
    found: Backtest,
    vehicles: Mapping[str, VehicleRecord],
    reference: Reference | None,
    shift: timedelta = USUAL,
) -> Score:
    """What one rule is worth."""
    answered = answers(rule, found, reference)
    worth = _worth(rule.rule_id, answered, found, vehicles, shift)
    if reference is None:
        return worth
    right = [one.fire for one in answered if one.answer is Answer.RIGHT]
    outcome = reference.found(rule, right)
    return replace(
        worth, **_said(answered, reference), faults=outcome.faults, recall=outcome.recall, lead_days=outcome.lead_days
    )


def whole(
    answered: Sequence[Answered],
    found: Backtest,
    vehicles: Mapping[str, VehicleRecord],
    reference: Reference | None,
    shift: timedelta = USUAL,
) -> Score:
    """What all rules together are worth; several of them may tell of one fault, so no recall is given."""
    worth = _worth("all", answered, found, vehicles, shift)
    return worth if reference is None else replace(worth, **_said(answered, reference))


def _worth(
    name: str, answered: Sequence[Answered], found: Backtest, vehicles: Mapping[str, VehicleRecord], shift: timedelta
) -> Score:
    """What can be told of fires without asking whether they are right."""
    fires = [one.fire for one in answered]
    months = found.vehicle_days * timedelta(days=1) / MONTH
    models = Counter(vehicles[fire.vehicle_id].model for fire in fires)
    return Score(
        name,
        len(fires),
        len({fire.vehicle_id for fire in fires}),
        round(len(fires) / months, 4) if months else 0.0,
        shift_load([fire.seen_at for fire in fires], found.seen_span, shift),
        models=dict(models.most_common()),
        **_timeliness(fires),
    )


def _said(answered: Sequence[Answered], reference: Reference) -> dict[str, Any]:
    right = sum(one.answer is Answer.RIGHT for one in answered)
    wrong = [one.fire for one in answered if one.answer is Answer.WRONG]
    judged = right + len(wrong)
    return {
        "true_fires": right,
        "precision": round(right / judged, 4) if judged else None,
        "without_verdict": len(answered) - judged,
        "on_confounders": sum(map(reference.is_odd, wrong)),
    }


def _timeliness(fires: Sequence[Fire]) -> dict[str, Any]:
    """What only the view as known then has."""
    delays = [(fire.known_at - fire.started_at) / HOUR for fire in fires if fire.known_at is not None]
    if not delays:
        return {}
    return {"delay_hours": round(median(delays), 2), "taken_back": sum(fire.taken_back for fire in fires)}


def beside(old: Sequence[Score], new: Sequence[Score]) -> list[dict[str, Any]]:
    """Two versions' scores side by side, by rule; a rule that only one of them has has None in the other's place."""
    compared = ("fires", "precision", "recall", "lead_days", "alerts_per_vehicle_month")
    before, after = ({one.rule_id: one for one in scores} for scores in (old, new))
    return [
        {
            "rule": name,
            **{
                f"{field} {label}": getattr(scores.get(name), field, None)
                for field in compared
                for label, scores in (("before", before), ("after", after))
            },
        }
        for name in dict.fromkeys([*before, *after])
    ]
