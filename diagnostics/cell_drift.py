"""Finds a cell group that leaves its pack within days: each hour's standing against the same pack's a few hours before.

Groups differ by nature, by tens of millivolts in an old pack, but the pattern in which they differ changes little from
one day to the next: it is stretched or squeezed as the voltage curve is steep or flat, and what remains is a millivolt
or two. So a loss of ten shows that comparing a group with its peers on one day, or day with day, cannot tell yet. What
goes on for weeks is `cell_peers`' to find: the reference follows.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from diagnostics.cell_drift_claim import claim
from diagnostics.cell_scores import drift as residual
from diagnostics.cell_scores import limit_mv
from diagnostics.cell_state import Row, listed, matrix
from features.cells import column_median
from features.panel import Observations
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord

FEATURE: Final = "cell_deviation_hour"
DRIFT_MV: Final = 10.0
"""Beyond the scatter of what remains: twice what a monitor's channels may err, 5 mV (engineering estimate)."""
REFERENCE_HOURS: Final = 4
"""So many hours' median is a reference."""
REFERENCE_AGE: Final = timedelta(days=3)
"""An older one is replaced, so long as no group has left it (engineering estimate)."""
MIN_HOURS: Final = 3
"""A group must be gone in so many judged hours in a row (engineering estimate)."""
RECOVERED: Final = 0.6
"""A group is back below this share of the limit: the hysteresis of OVMS's 12 V alert."""
WELL_HOURS: Final = 24
"""For so many judged hours in a row."""
LONGEST_SILENCE: Final = timedelta(days=7)
"""After a longer one the pack is learned anew (engineering estimate)."""
HISTORY_HOURS: Final = 48

_MICROSECOND: Final = timedelta(microseconds=1)


class DriftingGroup(msgspec.Struct, omit_defaults=True):
    """One cell group that has left its reference of late."""

    gone_hours: int = 0
    """Judged hours without a break."""
    well_hours: int = 0
    """Judged hours, since it was found, at which it was back, without a break."""
    found: bool = False


class DriftState(msgspec.Struct, omit_defaults=True):
    """One pack: plain data."""

    cell_count: int = 0
    reference: Row = []
    """mV; empty: not known yet."""
    referred_at: int = 0
    """Microseconds since 1970."""
    latest: list[Row] = []
    """The hours that the next reference is made of."""
    at: int = 0
    """The last judged hour."""
    groups: dict[str, DriftingGroup] = {}
    courses: dict[str, list[tuple[int, float]]] = {}
    """Of the groups in `groups`, and of the pack's limit under the empty name: time and mV of the last hours."""

    def found(self) -> tuple[str, ...]:
        """The groups that have drifted, in the order of their numbers."""
        names = [name for name, group in self.groups.items() if group.found]
        return tuple(sorted(names, key=lambda name: int(name.removeprefix("V_"))))


@dataclass(frozen=True, slots=True)
class CellDrift:
    """The detector: a fold over the panels of `cell_deviation_hour`."""

    name: str = "cell_drift"

    def evaluate(self, vehicle: VehicleRecord, observations: Observations, state: Any) -> tuple[Any, list[Finding]]:
        """Judge new observations in the light of the state; returns the state after them, and what is news."""
        panel = observations.get(FEATURE)
        if panel is None:
            return state, []
        pack = DriftState() if state is None else msgspec.convert(state, DriftState)
        findings = []
        for at, deviation in zip(panel.times.astype("int64").tolist(), panel.values, strict=True):
            if np.isfinite(deviation).sum() * 2 <= len(deviation):
                continue
            if pack.cell_count != len(deviation) or at - pack.at > LONGEST_SILENCE // _MICROSECOND:
                findings += self._ended(vehicle, pack)
                pack = DriftState(cell_count=len(deviation))
            before = pack.found()
            _take(pack, at, deviation, panel.locations)
            after = pack.found()
            if set(after) - set(before) or (before and not after):
                told = after or before
                findings.append(claim(self.name, vehicle.vehicle_id, pack.courses, at, told, holds=bool(after)))
            pack.groups = {name: one for name, one in pack.groups.items() if one.found or one.gone_hours}
            pack.courses = {name: one for name, one in pack.courses.items() if not name or name in pack.groups}
        return msgspec.to_builtins(pack), findings

    def _ended(self, vehicle: VehicleRecord, pack: DriftState) -> list[Finding]:
        """The end of what was found of a pack that is learned anew."""
        found = pack.found()
        return [claim(self.name, vehicle.vehicle_id, pack.courses, pack.at, found, holds=False)] if found else []


def _take(pack: DriftState, at: int, deviation: NDArray[np.float64], locations: tuple[str, ...]) -> None:
    """Take one hour into the state."""
    pack.at = at
    if pack.reference:
        remains = residual(deviation, matrix([pack.reference])[0])
        limit = limit_mv(remains, 0.0)
        _judge(pack, at, remains, max(limit, DRIFT_MV), locations)
    if not pack.groups:
        pack.latest = [*pack.latest[1 - REFERENCE_HOURS :], listed(deviation)]
        aged = not pack.reference or at - pack.referred_at > REFERENCE_AGE // _MICROSECOND
        if aged and len(pack.latest) == REFERENCE_HOURS:
            pack.reference, pack.referred_at = listed(column_median(matrix(pack.latest))), at


def _judge(pack: DriftState, at: int, remains: NDArray[np.float64], limit: float, locations: tuple[str, ...]) -> None:
    """Count each group's hours beyond the limit, and note its course; an unknown hour changes nothing."""
    pack.courses[""] = [*pack.courses.get("", [])[1 - HISTORY_HOURS :], (at, round(-limit, 1))]
    for name, value in zip(locations, remains.tolist(), strict=True):
        if np.isnan(value) or (value > -limit and name not in pack.groups):
            continue
        group = pack.groups.setdefault(name, DriftingGroup())
        pack.courses[name] = [*pack.courses.get(name, [])[1 - HISTORY_HOURS :], (at, round(value, 1))]
        group.gone_hours = group.gone_hours + 1 if value <= -limit else 0
        group.well_hours = group.well_hours + 1 if value > -RECOVERED * limit else 0
        if group.gone_hours >= MIN_HOURS:
            group.found = True
        elif group.found and group.well_hours >= WELL_HOURS:
            group.found = False
