"""What rules are worth over a history of which the truth is known: per rule, and two versions beside each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from flows.backtest import Backtest, Fire
from rules.engine.judge import applies
from rules.rule import Rule
from simulator.truth import FaultTruth, Truth
from vehicle.failure import ServiceItem
from vehicle.vehicle import VehicleRecord

MONTH: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Score:
    """One rule's; what needs the truth is None where that is not known, and of service items, which are no faults."""

    rule_id: str
    fires: int
    vehicles: int
    """On how many different cars."""
    alerts_per_vehicle_month: float
    true_fires: int | None = None
    """On a car that has the rule's failure mode, between its onset and its repair."""
    precision: float | None = None
    """True fires over fires; None also if there were none."""
    faults: int | None = None
    """Of the mode, on cars that the rule is for, that showed within the history."""
    recall: float | None = None
    """The share of them that it fired on."""
    lead_days: float | None = None
    """Median of the days from a fault's first fire to its failure, of those that fail within the history."""
    on_confounders: int | None = None
    """False fires on cars that show something odd at that time."""
    models: Mapping[str, int] | None = None
    """Fires by the cars' model."""


def score(rule: Rule, found: Backtest, vehicles: Mapping[str, VehicleRecord], truth: Truth | None) -> Score:
    """What one rule is worth."""
    fires = [fire for fire in found.fires if fire.rule_id == rule.rule_id]
    months = found.vehicle_days * timedelta(days=1) / MONTH
    models = Counter(vehicles[fire.vehicle_id].model for fire in fires)
    is_fault = not isinstance(rule.failure_mode, ServiceItem)
    known: dict[str, Any] = _against(rule, fires, vehicles, truth) if truth is not None and is_fault else {}
    return Score(
        rule.rule_id,
        len(fires),
        len({fire.vehicle_id for fire in fires}),
        round(len(fires) / months, 4) if months else 0.0,
        models=dict(models.most_common()),
        **known,
    )


def _against(rule: Rule, fires: Sequence[Fire], vehicles: Mapping[str, VehicleRecord], truth: Truth) -> dict[str, Any]:
    mode = str(rule.failure_mode)
    faults = [one for one in truth.faults if one.failure_mode == mode and applies(rule, vehicles[one.vehicle_id])]
    right = [
        fire for fire in fires if any(_explains(fault, fire) for fault in truth.faults if fault.failure_mode == mode)
    ]
    visible = [one for one in faults if one.first_visible_at is not None]
    firsts = {id(one): _first(one, right) for one in visible}
    leads = [
        (one.failed_at - at) / timedelta(days=1)
        for one in visible
        if one.failed_at and (at := firsts[id(one)]) is not None
    ]
    found = sum(at is not None for at in firsts.values())
    return {
        "true_fires": len(right),
        "precision": round(len(right) / len(fires), 4) if fires else None,
        "faults": len(visible),
        "recall": round(found / len(visible), 4) if visible else None,
        "lead_days": round(median(leads), 2) if leads else None,
        "on_confounders": sum(_is_odd(fire, truth) for fire in fires if fire not in right),
    }


def _explains(fault: FaultTruth, fire: Fire) -> bool:
    """Whether a fire tells of a fault."""
    begun = fault.vehicle_id == fire.vehicle_id and fault.onset_at <= fire.started_at
    return begun and (fault.repaired_at is None or fire.started_at <= fault.repaired_at)


def _first(fault: FaultTruth, fires: Sequence[Fire]) -> datetime | None:
    return min((fire.started_at for fire in fires if _explains(fault, fire)), default=None)


def _is_odd(fire: Fire, truth: Truth) -> bool:
    return any(
        one.vehicle_id == fire.vehicle_id and one.start_at <= fire.started_at <= one.end_at + timedelta(days=7)
        for one in truth.confounders
    )


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
