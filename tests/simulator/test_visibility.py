"""Every fault against the healthy twin: nothing before its onset, its symptom well before the failure."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from simulator.fault_modes import STORY
from simulator.fleet import Fleet, build_fleet
from simulator.truth import FaultTruth
from vehicle.batch import EventKind
from vehicle.failure import FailureMode

START = date(2026, 9, 1)
DAYS = 42
WHEELS = ("fl", "fr", "rl", "rr")
Columns = dict[str, Any]


@pytest.fixture(scope="module", params=[1, 6])
def fleets(request: pytest.FixtureRequest, lives: Callable[[Fleet], Any]) -> tuple[tuple[FaultTruth, ...], Any, Any]:
    """The truth, the lives of struck cars, and those of their healthy twins."""
    struck = build_fleet(8, DAYS, request.param, START)
    return struck.truth.faults, lives(struck), lives(build_fleet(8, DAYS, request.param, START, faults=[]))


def rest_voltage(columns: Columns, _: str) -> Any:
    return np.where(
        (columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -1.0), columns["lv_voltage_v"], np.nan
    )


def tyre_against_others(columns: Columns, wheel: str) -> Any:
    others = np.mean([columns[f"tyre_pressure_{one}_kpa"] for one in WHEELS if one != wheel], axis=0)
    return columns[f"tyre_pressure_{wheel}_kpa"] - others


def group_against_others(columns: Columns, name: str) -> Any:
    volts = columns["cell_voltages_v"]
    return volts[:, int(name.removeprefix("V_")) - 1] - volts.mean(axis=1)


def flow_per_speed(columns: Columns, _: str) -> Any:
    turning = columns["coolant_pump_speed_rpm"] > 100.0
    flow = columns["coolant_flow_lpm"] / np.where(turning, columns["coolant_pump_speed_rpm"], 1.0)
    return np.where(turning, flow, np.where(columns["speed_kmh"] > 0.0, 0.0, np.nan))


def inlet_above_air(columns: Columns, _: str) -> Any:
    return np.where(columns["charge_phases"] > 0.0, columns["charge_inlet_temp_c"] - columns["ambient_temp_c"], np.nan)


def isolation(columns: Columns, _: str) -> Any:
    return np.where(columns["isolation_valid"] == 1.0, np.log(np.maximum(columns["isolation_kohm"], 1.0)), np.nan)


SYMPTOMS = {
    FailureMode.LV_BATTERY_AGEING: rest_voltage,
    FailureMode.TYRE_SLOW_LEAK: tyre_against_others,
    FailureMode.WEAK_CELL_GROUP: group_against_others,
    FailureMode.COOLANT_PUMP_WEAK: flow_per_speed,
    FailureMode.CHARGE_INLET_OVERHEATING: inlet_above_air,
    FailureMode.HV_ISOLATION_LOSS: isolation,
}


def daily(life: Any, symptom: Callable[[Columns, str], Any], location: str) -> Any:
    """The symptom's median on each day."""
    times, columns, _ = life
    values = symptom(columns, location)
    day = ((times - np.datetime64(START)) / np.timedelta64(1, "D")).astype(int)
    known = np.isfinite(values)
    return np.array(
        [np.median(values[known & (day == one)]) if (known & (day == one)).any() else np.nan for one in range(DAYS)]
    )


def days_since_start(at: datetime | None) -> float:
    assert at is not None
    return (at - datetime.combine(START, datetime.min.time(), UTC)) / timedelta(days=1)


def test_twins_are_equal_to_the_bit_until_the_onset(fleets: Any) -> None:
    faults, struck, healthy = fleets
    for fault in faults:
        times, columns, _ = struck[fault.vehicle_id]
        twin_times, twin_columns, _ = healthy[fault.vehicle_id]
        before = int((times < np.datetime64(fault.onset_at.replace(tzinfo=None)) - np.timedelta64(1, "D")).sum())
        assert before > 100
        assert (times[:before] == twin_times[:before]).all()
        for name, values in columns.items():
            assert values[:before].tobytes() == twin_columns[name][:before].tobytes(), (fault.failure_mode, name)


@pytest.mark.parametrize("mode", STORY)
def test_symptom_stands_out_three_sigma_before_the_failure(fleets: Any, mode: FailureMode) -> None:
    faults, struck, healthy = fleets
    fault = next(one for one in faults if one.failure_mode == mode)
    location = "".join(fault.locations)
    own = daily(struck[fault.vehicle_id], SYMPTOMS[mode], location)
    twin = daily(healthy[fault.vehicle_id], SYMPTOMS[mode], location)
    apart = np.abs(own - twin) > 3.0 * np.nanstd(twin)
    assert apart.any()
    failed = days_since_start(fault.failed_at)
    assert int(np.argmax(apart)) < failed - 3.0
    assert not apart[: int(days_since_start(fault.onset_at))].any()


@pytest.mark.parametrize("mode", STORY)
def test_truth_has_days_between_visible_and_failed(fleets: Any, mode: FailureMode) -> None:
    fault = next(one for one in fleets[0] if one.failure_mode == mode)
    assert fault.first_visible_at is not None
    assert fault.failed_at is not None
    assert fault.onset_at < fault.first_visible_at < fault.failed_at - timedelta(days=3)
    assert fault.component == mode.component


def test_a_flat_low_voltage_battery_silences_the_car_and_any_other_failure_parks_it(fleets: Any) -> None:
    for fault in fleets[0]:
        times, columns, events = fleets[1][fault.vehicle_id]
        failed = fault.failed_at
        after = times > np.datetime64(failed.replace(tzinfo=None)) + np.timedelta64(1, "s")
        assert np.nanmax(columns["speed_kmh"][after], initial=0.0) == 0.0
        last = times[-1].astype("datetime64[us]").item().replace(tzinfo=UTC)
        if fault.failure_mode == FailureMode.LV_BATTERY_AGEING:
            assert abs(last - failed) < timedelta(seconds=1)
        else:
            assert last > failed
        assert not [event for event in events if event.kind is EventKind.DRIVE_START and event.at > failed]


def test_trouble_codes_come_with_faults_only_and_pending_before_confirmed(fleets: Any) -> None:
    faults, struck, healthy = fleets
    assert not [event for _, _, events in healthy.values() for event in events if event.trouble_code]
    cars = {fault.vehicle_id for fault in faults}
    for vehicle_id, (_, _, events) in struck.items():
        codes = [event.trouble_code for event in events if event.trouble_code]
        assert bool(codes) == (vehicle_id in cars)
        stages = [code.status & 0x08 for code in codes]
        assert stages == sorted(stages)
