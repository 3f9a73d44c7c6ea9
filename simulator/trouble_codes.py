"""Trouble codes the cars set by themselves, late and without naming the part, and take back when the test passes.

After ISO 14229-1 and SAE J1979: a code is pending on the first day its test fails and confirmed on a later one; it is
healed, its warning light off, after three driving cycles without a failure, and cleared after forty warm-up cycles. A
day on which the car is driven stands in for either cycle.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, IntArray, Phase
from simulator.subsystems import TESTS
from simulator.weather import DAY_S
from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus

PENDING: Final = (
    DtcStatus.TEST_FAILED
    | DtcStatus.TEST_FAILED_THIS_OPERATION_CYCLE
    | DtcStatus.PENDING
    | DtcStatus.TEST_FAILED_SINCE_LAST_CLEAR
)
CONFIRMED: Final = PENDING | DtcStatus.CONFIRMED | DtcStatus.WARNING_INDICATOR_REQUESTED
HEALED: Final = DtcStatus.CONFIRMED | DtcStatus.TEST_FAILED_SINCE_LAST_CLEAR
CLEARED: Final = DtcStatus(0)

HEALS_AFTER: Final = 3
CLEARS_AFTER: Final = 40
"""Days driven without a failure."""


@dataclass(slots=True)
class _Entry:
    """A stored code."""

    status: DtcStatus
    passed: int = 0
    """Days driven since the last failure."""


@dataclass(slots=True, eq=False)
class TroubleCodes:
    """What the control units have stored, per car by code."""

    stored: list[dict[str, _Entry]]


def start(cars: Cars) -> TroubleCodes:
    """No code is set."""
    return TroubleCodes([{} for _ in range(len(cars))])


def advance(state: TroubleCodes, day: Day, midnight: datetime) -> None:
    """Add to the day's events every code whose status changed."""
    driving, driven = _by_car(day, day.during(Phase.DRIVING))
    stored = {code for codes in state.stored for code in codes}
    for test in TESTS:
        failed = test.failed(day, day.cars)
        failed[day.last] = False
        if test.code not in stored and not failed.any():
            continue
        hits, own = _by_car(day, failed)
        for number, codes in enumerate(state.stored):
            if own[number + 1] - own[number] >= test.least_rows:
                row, status, frame = int(hits[own[number]]), _fail(codes, test.code), test.freeze_frame
            elif test.code in codes and driven[number + 1] > driven[number]:
                row, status, frame = int(driving[driven[number + 1] - 1]), _pass(codes, test.code), ()
            else:
                continue
            if status is not None:
                at = midnight + timedelta(seconds=float(day.at_s[row]) - day.index * DAY_S)
                frozen = {name: float(day.columns[name][row]) for name in frame}
                details = {name: round(value, 3) for name, value in frozen.items() if np.isfinite(value)}
                code = DiagnosticTroubleCode(test.code, status)
                day.events[number].append(Event(at, EventKind.TROUBLE_CODE, code, details))


def _by_car(day: Day, mask: BoolArray) -> tuple[IntArray, list[int]]:
    """The rows of the mask; and where those of each car begin among them, with the end of the last car's."""
    rows = np.flatnonzero(mask)
    return rows, np.searchsorted(rows, np.append(day.first, len(day))).tolist()


def _fail(codes: dict[str, _Entry], code: str) -> DtcStatus | None:
    """The status that a day with a failure changes the code to, if it does."""
    before = codes.get(code)
    status = PENDING if before is None else CONFIRMED
    codes[code] = _Entry(status)
    return None if before is not None and before.status == status else status


def _pass(codes: dict[str, _Entry], code: str) -> DtcStatus | None:
    """The same for a day driven without one."""
    entry = codes[code]
    entry.passed += 1
    if entry.passed == CLEARS_AFTER:
        del codes[code]
        return CLEARED
    if entry.passed == HEALS_AFTER and entry.status == CONFIRMED:
        entry.status = HEALED
        return HEALED
    return None
