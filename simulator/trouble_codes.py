"""Trouble codes the cars set by themselves: late, and without naming the part."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, Phase
from simulator.faults import WHEELS
from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus

PENDING: Final = (
    DtcStatus.TEST_FAILED
    | DtcStatus.TEST_FAILED_THIS_OPERATION_CYCLE
    | DtcStatus.PENDING
    | DtcStatus.TEST_FAILED_SINCE_LAST_CLEAR
)
CONFIRMED: Final = PENDING | DtcStatus.CONFIRMED | DtcStatus.WARNING_INDICATOR_REQUESTED

STAGES: Final = (PENDING, CONFIRMED)


@dataclass(frozen=True, slots=True)
class Test:
    """One control unit's test for a code."""

    code: str
    failed: Callable[[Day, Cars], BoolArray]
    """Per row."""
    freeze_frame: tuple[str, ...]
    """Signals stored with the code."""
    least_rows: int = 2
    """A day fails the test once so many of its samples do."""


def _low_voltage(day: Day, _: Cars) -> BoolArray:
    return day.columns["lv_voltage_v"] < 11.0  # noqa: PLR2004 -- OVMS: reference 12.6 V less 1.6 V


def _isolation(day: Day, cars: Cars) -> BoolArray:
    limit = day.of(cars.each(lambda one: one.model.nominal_voltage_v * 0.5))
    return (day.columns["isolation_valid"] > 0.0) & (day.columns["isolation_kohm"] < limit)


def _cells(day: Day, _: Cars) -> BoolArray:
    apart = np.concatenate([volts.mean(axis=1) - volts.min(axis=1) for volts in day.cells])
    return ~day.during(Phase.ASLEEP) & (apart > 0.3)  # noqa: PLR2004 -- engineering estimate


def _pump(day: Day, _: Cars) -> BoolArray:
    """Less than half the flow that the load asks for, or a pump that stands still."""
    driving = day.during(Phase.DRIVING)
    expected = 12.0 * day.columns["coolant_pump_speed_rpm"] / 5000.0
    return driving & (day.columns["coolant_flow_lpm"] < np.maximum(0.5 * expected, 0.5))


def _inlet(day: Day, _: Cars) -> BoolArray:
    charging = day.during(Phase.CHARGING_AC, Phase.CHARGING_DC)
    return charging & (day.columns["charge_inlet_temp_c"] > 78.0)  # noqa: PLR2004 -- Tesla alert CC_a013


def _tyre(day: Day, cars: Cars) -> BoolArray:
    limit = day.of(cars.each(lambda one: one.model.tyre_reference_kpa * 0.8))
    lowest = np.min([day.columns[f"tyre_pressure_{wheel}_kpa"] for wheel in WHEELS], axis=0)
    return np.asarray(day.during(Phase.DRIVING) & (lowest < limit))


TESTS: Final = (
    Test("P0562", _low_voltage, ("lv_voltage_v", "ambient_temp_c"), least_rows=1),
    Test("P0AA6", _isolation, ("isolation_kohm", "hv_voltage_v", "speed_kmh")),
    Test("P0BBD", _cells, ("hv_soc_pct", "hv_current_a", "hv_voltage_v")),
    Test("P0C73", _pump, ("coolant_flow_lpm", "coolant_pump_current_a", "coolant_pump_speed_rpm")),
    Test("CP_inlet_temperature_high", _inlet, ("charge_inlet_temp_c", "charge_current_a")),
    Test("TPMS_pressure_low", _tyre, tuple(f"tyre_pressure_{wheel}_kpa" for wheel in WHEELS)),
)
"""SAE J2012: system voltage low, isolation fault, pack voltage variation, pump performance; two of the maker's own."""


@dataclass(slots=True, eq=False)
class TroubleCodes:
    """Codes set so far, per car: 1 pending, 2 confirmed."""

    stored: list[dict[str, int]] = field(default_factory=list)


def start(cars: Cars) -> TroubleCodes:
    """No code is set."""
    return TroubleCodes([{} for _ in range(len(cars))])


def advance(state: TroubleCodes, day: Day, midnight: datetime) -> list[list[Event]]:
    """Per car the codes that became pending or, on a later day, confirmed."""
    events: list[list[Event]] = [[] for _ in range(len(day.cars))]
    for test in TESTS:
        failed = test.failed(day, day.cars)
        failed[day.last] = False
        if not failed.any():
            continue
        for number in range(len(day.cars)):
            rows = day.rows(number)
            hits = np.flatnonzero(failed[rows])
            stage = state.stored[number].get(test.code, 0)
            if len(hits) < test.least_rows or stage == len(STAGES):
                continue
            state.stored[number][test.code] = stage + 1
            row = rows.start + int(hits[0])
            at = midnight + timedelta(seconds=float(day.at_s[row]) - day.index * 86400.0)
            frame = {name: round(float(day.columns[name][row]), 3) for name in test.freeze_frame}
            code = DiagnosticTroubleCode(test.code, STAGES[stage])
            events[number].append(Event(at, EventKind.TROUBLE_CODE, code, frame))
    return events
