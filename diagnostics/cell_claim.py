"""What the comparison of cell groups says: one finding per pack, with every weak group and the evidence for it."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diagnostics.cell_scores import limit_mv
from diagnostics.cell_state import PackState, matrix
from diagnostics.prognosis import remaining_life
from vehicle.failure import FailureMode
from vehicle.finding import Evidence, Finding, Severity, Trace

LIMIT_MV: Final = -100.0
"""A group this far behind ends driving and charging early for the whole pack (engineering estimate)."""

PEER_BAND: Final = (5, 95)
"""The share of the peers, in %, between whose deviations a chart draws the pack's scatter."""

_SEVERITIES: Final = {0: Severity.WARNING, 1: Severity.WARNING, 2: Severity.CRITICAL}
_CONFIDENCES: Final = {0: 0.9, 1: 0.85, 2: 0.95}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CLEARS: Final = (
    "The groups named lie among their peers (below 60 % of the threshold) on five judged days in a row, "
    "as after a repair of the module."
)


def claim(
    detector: str, vehicle_id: str, pack: PackState, score: dict[str, float], locations: tuple[str, ...]
) -> Finding:
    """The finding on a pack right after what is known of it has changed.

    Args:
        detector: the name it goes by.
        vehicle_id: whose pack it is.
        pack: its state; that no group of it is weak any more makes the finding a cleared one.
        score: today's score of each group.
        locations: the groups it is about, in the order of their numbers.
    """
    weak = pack.weak()
    grade = max(weak.values(), default=0)
    names = list(score)
    worst = max(locations, key=lambda name: np.nan_to_num(score[name]))
    history = matrix(pack.recent)
    times = np.array(pack.times, dtype=np.int64).view("datetime64[us]")
    observed_at = _EPOCH + timedelta(microseconds=pack.times[-1])
    return Finding(
        vehicle_id=vehicle_id,
        component=FailureMode.WEAK_CELL_GROUP.component,
        failure_mode=FailureMode.WEAK_CELL_GROUP,
        detector=detector,
        score=float(np.nan_to_num(score[worst])),
        severity=_SEVERITIES[grade],
        confidence=_CONFIDENCES[grade],
        observed_at=observed_at,
        window_start=_EPOCH + timedelta(microseconds=pack.times[0]),
        window_end=observed_at + _MICROSECOND,
        evidence=_evidence(history, times, [names.index(name) for name in locations], locations, weak=bool(weak)),
        locations=locations,
        cleared=not weak,
        remaining_useful_life=remaining_life(times, history[:, names.index(worst)], LIMIT_MV) if weak else None,
    )


def _evidence(
    history: NDArray[np.float64],
    times: NDArray[np.datetime64],
    columns: list[int],
    locations: tuple[str, ...],
    *,
    weak: bool,
) -> Evidence:
    peers = np.delete(history, columns, axis=1)
    threshold = -limit_mv(history[-1])
    behind = ", ".join(f"{name} {history[-1, column]:+.0f} mV" for name, column in zip(locations, columns, strict=True))
    state = "stay behind the median of their pack" if weak else "are back among their peers"
    lines = [(name, history[:, column]) for name, column in zip(locations, columns, strict=True)]
    lines += [(f"{share} % of the peers lie below", np.nanpercentile(peers, share, axis=1)) for share in PEER_BAND]
    return Evidence(
        summary=f"{len(locations)} of {history.shape[1]} cell groups {state}: {behind}; limit {threshold:+.0f} mV.",
        clears_when=_CLEARS,
        traces=tuple(Trace(label, "mV", times, values) for label, values in lines),
        threshold=threshold,
        threshold_label="warning: scatter of the pack + 20 mV",
    )
