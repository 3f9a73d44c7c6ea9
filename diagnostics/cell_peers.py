"""Finds weak cell groups: each group of a pack is compared with its peers, day after day.

A group is abnormal on a day when it stays behind its pack's median by 20 mV more than its peers scatter, or has lost as
much against its own first days; it is weak when it stays so. The thresholds are those of OVMS's cell alert (standard
deviation + 20 mV warns, + 30 mV alerts), with a robust deviation, and judged on the day's median instead of on single
samples; in packs that scatter widely they are raised to what chance does not explain.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diagnostics.cell_claim import claim
from diagnostics.cell_scores import scores
from diagnostics.cell_state import CellState, PackState, listed, matrix, restore
from features.cells import column_median
from features.panel import Observations
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord

FEATURE: Final = "cell_deviation"
RECOVERED: Final = 0.6
"""A group is back among its peers below this share of the threshold: the hysteresis of OVMS's 12 V alert."""
MIN_DAYS: Final = 2
MIN_SPAN: Final = timedelta(hours=12)
"""Two judged days around one midnight are one observation, not two."""
WELL_DAYS: Final = 5
"""A weak group looks well on days spent where the voltage curve is flat, so that it must do so for longer."""
BASELINE_DAYS: Final = 3
"""So many first days say how a pack's groups stand to each other by nature (engineering estimate)."""
HISTORY_DAYS: Final = 14
LONGEST_SILENCE: Final = timedelta(days=7)
"""Days further apart than this do not confirm each other (engineering estimate)."""

_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CellPeers:
    """The detector: a fold over the panels of `cell_deviation`."""

    name: str = "cell_peers"

    def evaluate(self, vehicle: VehicleRecord, observations: Observations, state: Any) -> tuple[Any, list[Finding]]:
        """Judge new observations in the light of the state; returns the state after them, and what is news."""
        panel = observations.get(FEATURE)
        if panel is None:
            return state, []
        pack, findings = restore(state), []
        for at, deviation in zip(panel.times.astype("int64").tolist(), panel.values, strict=True):
            if np.isfinite(deviation).sum() * 2 <= len(deviation):
                continue
            if pack.cell_count != len(deviation):
                pack = PackState(cell_count=len(deviation))
            before = pack.weak()
            score = _take(pack, at, deviation, panel.locations)
            after = pack.weak()
            if any(grade > before.get(name, 0) for name, grade in after.items()) or (before and not after):
                named = dict(zip(panel.locations, score.tolist(), strict=True))
                findings.append(claim(self.name, vehicle.vehicle_id, pack, named, tuple(after or before)))
        return pack.plain(), findings


def _take(pack: PackState, at: int, deviation: NDArray[np.float64], locations: tuple[str, ...]) -> NDArray[np.float64]:
    """Take one day's deviations into the state; how abnormal each group is."""
    baseline = column_median(matrix(pack.first)) if len(pack.first) >= BASELINE_DAYS else None
    score, grade = scores(deviation, baseline)
    if len(pack.first) < BASELINE_DAYS:
        pack.first.append(listed(deviation))
    broken = bool(pack.times) and at - pack.times[-1] > LONGEST_SILENCE // _MICROSECOND
    pack.times = [*pack.times[1 - HISTORY_DAYS :], at]
    pack.recent = [*pack.recent[1 - HISTORY_DAYS :], listed(deviation)]
    for name, cell_score, cell_grade in zip(locations, score.tolist(), grade.tolist(), strict=True):
        if cell_grade or name in pack.cells:
            _update(pack, name, at, cell_score, cell_grade, broken=broken)
    return score


def _update(pack: PackState, name: str, at: int, score: float, grade: int, *, broken: bool) -> None:
    """Count a group's bad and well days; an unknown score (NaN) changes nothing."""
    cell = pack.cells.setdefault(name, CellState())
    if broken:
        cell.bad_days = cell.well_days = 0
    if grade:
        cell.bad_since = cell.bad_since if cell.bad_days else at
        cell.bad_days += 1
    elif score < 1:
        cell.bad_days = 0
    if score < RECOVERED:
        cell.well_days += 1
    elif score >= RECOVERED:
        cell.well_days = 0
    if cell.bad_days >= MIN_DAYS and at - cell.bad_since >= MIN_SPAN // _MICROSECOND:
        cell.grade = max(cell.grade, grade)
    if cell.well_days >= WELL_DAYS or not (cell.grade or cell.bad_days):
        del pack.cells[name]
