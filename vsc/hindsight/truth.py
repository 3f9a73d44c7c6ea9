"""Fires against the truth about a simulated fleet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from flows.backtest import Fire
from rules.engine.judge import applies
from rules.rule import Rule
from simulator.truth import FaultTruth, Truth
from vehicle.failure import ServiceItem
from vehicle.vehicle import VehicleRecord
from vsc.hindsight.reference import Answer, Found

DAY: Final = timedelta(days=1)
LINGERS: Final = timedelta(days=7)
"""So long after its end an oddity may still be what a rule saw."""


@dataclass(frozen=True, slots=True)
class TruthReference:
    """A fire is right on a car that has the rule's failure mode, between its onset and its repair, by event time."""

    truth: Truth
    vehicles: Mapping[str, VehicleRecord]
    span: tuple[datetime, datetime]
    """Of the history: what failed or was repaired before it is not asked for."""
    name: str = "truth"

    def answer(self, rule: Rule, fire: Fire) -> Answer:
        """Whether a fault of the rule's mode explains a fire; of a service item nobody knows."""
        if isinstance(rule.failure_mode, ServiceItem):
            return Answer.UNKNOWN
        return Answer.RIGHT if any(_explains(fault, fire) for fault in self._faults(rule)) else Answer.WRONG

    def found(self, rule: Rule, fires: Sequence[Fire]) -> Found:
        """What became of the faults that showed, on cars that the rule is for."""
        if isinstance(rule.failure_mode, ServiceItem):
            return Found()
        asked = [fault for fault in self._faults(rule) if self._is_asked(rule, fault)]
        firsts = [(fault, _first(fault, fires)) for fault in asked]
        leads = [(fault.failed_at - at) / DAY for fault, at in firsts if fault.failed_at and at is not None]
        hits = sum(at is not None for _, at in firsts)
        return Found(
            faults=len(asked),
            recall=round(hits / len(asked), 4) if asked else None,
            lead_days=round(median(leads), 2) if leads else None,
        )

    def is_odd(self, fire: Fire) -> bool:
        """Whether one of the car's confounders was at work."""
        return any(
            one.vehicle_id == fire.vehicle_id and one.start_at <= fire.started_at <= one.end_at + LINGERS
            for one in self.truth.confounders
        )

    def _faults(self, rule: Rule) -> list[FaultTruth]:
        return [fault for fault in self.truth.faults if fault.failure_mode == str(rule.failure_mode)]

    def _is_asked(self, rule: Rule, fault: FaultTruth) -> bool:
        """Whether a fault showed within the span on a car of the history that the rule is for."""
        vehicle = self.vehicles.get(fault.vehicle_id)
        if vehicle is None or fault.first_visible_at is None or not applies(rule, vehicle):
            return False
        start, end = self.span
        return fault.first_visible_at < end and (fault.repaired_at is None or fault.repaired_at > start)


def _explains(fault: FaultTruth, fire: Fire) -> bool:
    """Whether a fire tells of a fault."""
    begun = fault.vehicle_id == fire.vehicle_id and fault.onset_at <= fire.started_at
    return begun and (fault.repaired_at is None or fire.started_at <= fault.repaired_at)


def _first(fault: FaultTruth, fires: Sequence[Fire]) -> datetime | None:
    return min((fire.seen_at for fire in fires if _explains(fault, fire)), default=None)
