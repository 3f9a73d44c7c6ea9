"""What became of all units, summed up: by mode, by detector, of the whole catalogue, and what to look at."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from benchmarks.detection_run import Judged
from benchmarks.injected import mode_of
from flows.backtest import Fire
from flows.judging import Detector
from rules.detector import RuleDetector
from rules.engine.judge import applies
from simulator.fault_modes import FAULT_MODES, SIMULATED
from simulator.truth import FaultTruth
from tickets.ticket import Channel
from vehicle.failure import Occasion
from vehicle.finding import Severity

PER_DAYS: Final = 1000.0
MOST_WRONG: Final = 0.3
"""Wrong alerts per so many healthy vehicle-days."""
TOLD_WITHIN: Final = timedelta(hours=1)
"""A danger is missed that is not told of so soon after the failure: brake fluid may be gone within minutes."""
AFTERMATH: Final = timedelta(days=7)
"""A confounder is blamed for what fires so long after it: windows and hold times reach back (as in `vsc.hindsight`)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One struck car."""

    judged: Judged
    fault: FaultTruth
    fires: tuple[Fire, ...]
    """Of the mode, since the onset."""
    others: tuple[Fire, ...]
    """Whatever else fired on the car."""
    dangers: tuple[Fire, ...]
    """Of these those that said, since the onset, do not drive or do not charge because of another fault of the same
    component: the car is as safe, and goes to the same workshop."""

    @property
    def visible(self) -> bool:
        """Whether the fault shows within the days."""
        return self.fault.first_visible_at is not None

    @property
    def found_at(self) -> datetime | None:
        """When it was first told of."""
        return min((fire.started_at for fire in self.fires), default=None)

    @property
    def in_time(self) -> bool:
        """Whether it was told of before the component failed."""
        at = self.found_at
        return at is not None and (self.fault.failed_at is None or at < self.fault.failed_at)

    @property
    def missed(self) -> bool:
        """Whether it has failed, and nothing told of it, or of the danger, by then or at once."""
        failed = self.fault.failed_at
        at = min((fire.started_at for fire in (*self.fires, *self.dangers)), default=None)
        return failed is not None and (at is None or at > failed + TOLD_WITHIN)


def summary(results: Sequence[Judged], detectors: Sequence[Detector], options: str) -> dict[str, Any]:
    """The figures by the names of ``--json``; detectors of what nothing simulates, as service due, are left apart.

    `options` are those of the command that make the same plan again.
    """
    own = [one for one in detectors if mode_of(one) in SIMULATED]
    modes = {one.name: mode_of(one) for one in own}
    dangers = _only_danger(own)
    cases = [case for judged in results for case in _cases(judged, modes, dangers)]
    sound = [judged for judged in results if judged.unit.mode is None]
    wrong = [row for judged in sound for row in _wrong(judged, own, options)]
    whole = _whole(sound, wrong, cases, own)
    by_mode = _by_mode(cases, own)
    by_detector = [_detector(one, cases, wrong) for one in own]
    return {
        "whole": whole,
        "modes": by_mode,
        "detectors": by_detector,
        "misses": [_miss(case, options) for case in cases if case.visible and not case.in_time],
        "wrong": wrong,
        "aims": _aims(whole, by_detector),
    }


def _only_danger(detectors: Sequence[Detector]) -> set[str]:
    """The rules that tell of nothing less than danger, by their ids."""
    rules = [one.rule for one in detectors if isinstance(one, RuleDetector)]
    return {rule.rule_id for rule in rules if rule.ladder[0].severity is Severity.DANGER}


def _cases(judged: Judged, modes: Mapping[str, Occasion], dangers: Collection[str]) -> list[Case]:
    cases = []
    for fault in judged.faults:
        fires = [fire for fire in judged.fires if fire.vehicle_id == fault.vehicle_id and fire.rule_id in modes]
        own = [
            fire for fire in fires if modes[fire.rule_id] == fault.failure_mode and fire.started_at >= fault.onset_at
        ]
        others = [fire for fire in fires if fire not in own]
        alike = [
            fire
            for fire in others
            if fire.rule_id in dangers
            and fire.started_at >= fault.onset_at
            and modes[fire.rule_id].component == fault.component
        ]
        cases.append(Case(judged, fault, tuple(own), tuple(others), tuple(alike)))
    return cases


def _wrong(judged: Judged, detectors: Sequence[Detector], options: str) -> list[dict[str, Any]]:
    """What fired on sound cars, with what was odd about them."""
    known = {one.name: one for one in detectors}
    rows = []
    for fire in judged.fires:
        if (detector := known.get(fire.rule_id)) is None:
            continue
        odd = [one.confounder for one in judged.confounders if one.vehicle_id == fire.vehicle_id
               and one.start_at <= fire.started_at <= one.end_at + AFTERMATH]  # fmt: skip
        rows.append(
            {
                "detector": fire.rule_id,
                "failure_mode": str(mode_of(detector)),
                "severity": fire.severity,
                "car": fire.vehicle_id,
                "unit": judged.unit.name,
                "at": fire.started_at.isoformat(),
                "until": fire.ended_at.isoformat() if fire.ended_at else "",
                "confounders": sorted(set(odd)),
                "on_its_confounder": bool(set(odd) & _confounders(detector)),
                "summary": fire.summary,
                "again": _command(judged, fire.vehicle_id, options),
            }
        )
    return rows


def _confounders(detector: Detector) -> set[str]:
    return set(detector.rule.must_not_fire_on) if isinstance(detector, RuleDetector) else set()


def _command(judged: Judged, vehicle_id: str, options: str) -> str:
    """What makes a case again, alone."""
    unit = judged.unit
    which = f"--mode {unit.mode}" if unit.mode else f'--unit "{unit.name}"'
    return f"vsc bench detection {options} {which} --car {vehicle_id}"


def alerts(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many alerts fires are: one of a car, and failure mode for as long as any of its detectors holds."""
    count = 0
    open_until: dict[tuple[str, str, str], str] = {}
    for row in sorted(rows, key=lambda each: each["at"]):
        key = (row["unit"], row["car"], row["failure_mode"])
        until = row["until"] or "9999"
        if key not in open_until or row["at"] > open_until[key]:
            count += 1
        open_until[key] = max(open_until.get(key, ""), until)
    return count


def _whole(
    sound: Sequence[Judged], wrong: Sequence[Mapping[str, Any]], cases: Sequence[Case], detectors: Sequence[Detector]
) -> dict[str, Any]:
    days = sum(judged.unit.vehicle_days for judged in sound)
    count = alerts(wrong)
    dangerous = _dangerous(detectors)
    failed = [case for case in cases if case.fault.failed_at and case.fault.failure_mode in dangerous]
    return {
        "cases": len(cases),
        "visible": sum(case.visible for case in cases),
        "found": sum(bool(case.fires) for case in cases if case.visible),
        "in_time": sum(case.in_time for case in cases if case.visible),
        "healthy_vehicle_days": days,
        "wrong_alerts": count,
        "wrong_alerts_per_1000_days": round(count / days * PER_DAYS, 3) if days else None,
        "danger_cases": len(failed),
        "danger_missed": sum(case.missed for case in failed),
    }


def _dangerous(detectors: Sequence[Detector]) -> set[Occasion]:
    """The modes of which a rule says: do not drive, or do not charge; and those that may need a tow truck."""
    rules = [one.rule for one in detectors if isinstance(one, RuleDetector)]
    told = {rule.failure_mode for rule in rules if rule.ladder[-1].severity is Severity.DANGER}
    return told | {mode for mode in SIMULATED if Channel.TOW in FAULT_MODES[mode].channels}


def _by_mode(cases: Sequence[Case], detectors: Sequence[Detector]) -> list[dict[str, Any]]:
    dangerous = _dangerous(detectors)
    rows = []
    for mode in SIMULATED:
        own = [case for case in cases if case.fault.failure_mode == mode]
        if not own:
            continue
        seen = [case for case in own if case.visible]
        failed = [case for case in own if case.fault.failed_at]
        leads = [(case.fault.failed_at - at) / timedelta(days=1)
                 for case in failed if case.fault.failed_at and (at := case.found_at)]  # fmt: skip
        others = Counter(fire.rule_id for case in own for fire in case.others)
        rows.append(
            {
                "mode": str(mode),
                "cases": len(own),
                "visible": len(seen),
                "found": sum(bool(case.fires) for case in seen),
                "in_time": sum(case.in_time for case in seen),
                "failed": len(failed),
                "lead_days": round(median(leads), 1) if leads else None,
                "danger_missed": sum(case.missed for case in failed) if mode in dangerous else None,
                "other_fires": dict(others.most_common(3)),
            }
        )
    return rows


def _detector(detector: Detector, cases: Sequence[Case], wrong: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    own = [
        case for case in cases
        if case.visible and case.fault.failure_mode == mode_of(detector) and _is_for(detector, case)
    ]  # fmt: skip
    fired = [row for row in wrong if row["detector"] == detector.name]
    return {
        "detector": detector.name,
        "mode": str(mode_of(detector)),
        "cases": len(own),
        "found": sum(any(fire.rule_id == detector.name for fire in case.fires) for case in own),
        "wrong_fires": len(fired),
        "on_its_confounders": sum(row["on_its_confounder"] for row in fired),
        "on_other_faults": sum(fire.rule_id == detector.name for case in cases for fire in case.others),
    }


def _is_for(detector: Detector, case: Case) -> bool:
    if not isinstance(detector, RuleDetector):
        return True
    return any(applies(detector.rule, one) for one in case.judged.vehicles if one.vehicle_id == case.fault.vehicle_id)


def _miss(case: Case, options: str) -> dict[str, Any]:
    fault = case.fault
    return {
        "mode": fault.failure_mode,
        "car": fault.vehicle_id,
        "seed": case.judged.unit.seed,
        "onset_at": fault.onset_at.isoformat(),
        "visible_at": fault.first_visible_at.isoformat() if fault.first_visible_at else "",
        "failed_at": fault.failed_at.isoformat() if fault.failed_at else "",
        "found_at": case.found_at.isoformat() if case.found_at else "",
        "other_fires": sorted({fire.rule_id for fire in case.others}),
        "again": _command(case.judged, fault.vehicle_id, options),
    }


def _aims(whole: Mapping[str, Any], detectors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What must be reached, as far as it was simulated."""
    silent = [one["detector"] for one in detectors if one["cases"] and not one["found"]]
    odd = [one["detector"] for one in detectors if one["on_its_confounders"]]
    rows: list[dict[str, Any]] = []
    if whole["cases"]:
        rows += [
            {"aim": "every detector fires on its fault", "figure": silent, "reached": not silent},
            {"aim": "no danger is missed", "figure": whole["danger_missed"], "reached": not whole["danger_missed"]},
        ]
    if whole["healthy_vehicle_days"]:
        rate = whole["wrong_alerts_per_1000_days"]
        rows += [
            {"aim": "none fires on its confounders", "figure": odd, "reached": not odd},
            {"aim": f"at most {MOST_WRONG} wrong alerts a 1,000 days", "figure": rate, "reached": rate <= MOST_WRONG},
        ]
    return rows
