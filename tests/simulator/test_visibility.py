"""Every fault against the healthy twin: nothing before its onset, its symptom well before the failure."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from benchmarks.symptoms import SYMPTOMS, daily
from simulator.fault_modes import STORY
from simulator.fleet import Fleet, build_fleet
from simulator.truth import FaultTruth
from vehicle.batch import EventKind
from vehicle.failure import FailureMode

START = date(2026, 9, 1)
DAYS = 42


@pytest.fixture(scope="module", params=[1, 6])
def fleets(request: pytest.FixtureRequest, lives: Callable[[Fleet], Any]) -> tuple[tuple[FaultTruth, ...], Any, Any]:
    """The truth, the lives of struck cars, and those of their healthy twins."""
    struck = build_fleet(8, DAYS, request.param, START)
    return struck.truth.faults, lives(struck), lives(build_fleet(8, DAYS, request.param, START, faults=[]))


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
    own = daily(struck[fault.vehicle_id], SYMPTOMS[mode], location, START, DAYS)
    twin = daily(healthy[fault.vehicle_id], SYMPTOMS[mode], location, START, DAYS)
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
