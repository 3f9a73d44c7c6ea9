"""What is shown of charge and capacity: right in a sound car, late about fade, and astray in the plateau of LFP."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.battery_management import MISLEADS, STOPS_AT
from simulator.faults import FaultOrder
from simulator.fleet import build_fleet
from vehicle.failure import FailureMode

FADE, DRIFT = FailureMode.CAPACITY_FADE_ABNORMAL, FailureMode.BMS_CALIBRATION_DRIFT
START = date(2026, 6, 1)
DAY = np.timedelta64(1, "D")


@pytest.fixture(scope="module", params=[1, 2, 7])
def fade(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins((FADE,), request.param, 120, START)[FADE]


@pytest.fixture(scope="module", params=[15, 16, 17])
def drift(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins((DRIFT,), request.param, 60, START)[DRIFT]


def slope_per_day(life: Any, name: str, first_day: int, last_day: int) -> float:
    times, columns, _ = life
    days = (times - np.datetime64(START)) / DAY
    rows = np.isfinite(columns[name]) & (days >= first_day) & (days < last_day)
    return float(np.polyfit(days[rows], columns[name][rows], 1)[0])


def steps_at_rest(life: Any) -> Any:
    """Change of the charge shown from one sample to the next, over rests."""
    times, columns, _ = life
    known = np.isfinite(columns["hv_soc_pct"])
    apart = np.diff(times[known]) / np.timedelta64(1, "h")
    return np.diff(columns["hv_soc_pct"][known])[apart > 3.0]


def failed_at(pair: Any) -> Any:
    return np.datetime64(pair.fault.failed_at.replace(tzinfo=None))


def test_fade_course(fade: Any) -> None:
    fade.check_onset()
    fade.check_failure()


def test_drift_course(drift: Any) -> None:
    drift.check_onset()
    drift.check_failure()


def test_abnormal_fade_is_more_than_three_times_the_usual_before_the_battery_is_worn_out(fade: Any) -> None:
    failed_day = int((failed_at(fade) - np.datetime64(START)) / DAY)
    usual = slope_per_day(fade.healthy, "hv_soh_pct", 20, failed_day)
    assert usual < 0.0
    assert slope_per_day(fade.struck, "hv_soh_pct", 20, failed_day) < 3.0 * usual
    assert slope_per_day(fade.struck, "hv_capacity_net_kwh", 20, failed_day) < 0.0


def test_a_faded_battery_takes_less_charge_for_the_same_percents(fade: Any) -> None:
    times, columns, _ = fade.struck
    seconds = np.diff(times, prepend=times[0]) / np.timedelta64(1, "s")
    brought = np.nan_to_num(columns["hv_current_a"]) * seconds / 3600.0
    charge = np.append(0.0, np.diff(columns["hv_soc_pct"]))
    rows = np.isfinite(charge) & (columns["hv_current_a"] > 5.0)
    days = (times - np.datetime64(START)) / DAY
    early, late = rows & (days < 5.0), rows & (days > 75.0) & (days < 90.0)
    per_percent = [brought[part].sum() / charge[part].sum() for part in (early, late)]
    assert per_percent[1] < 0.93 * per_percent[0]


def test_without_full_charges_the_charge_shown_steps_at_rest_and_capacity_jumps(drift: Any) -> None:
    times, columns, _ = drift.struck
    while_drifting = (times > np.datetime64(START) + 6 * DAY) & (times < failed_at(drift))
    full = 100.0 * (STOPS_AT + MISLEADS) + 1.0
    assert np.nanmax(columns["hv_soc_pct"][while_drifting]) < full
    assert np.nanmax(drift.healthy[1]["hv_soc_pct"]) > 99.0
    sound, astray = steps_at_rest(drift.healthy), steps_at_rest(drift.struck)
    assert np.abs(sound).max() <= 0.2
    assert astray.min() < -1.0
    assert (np.abs(astray) > 0.25).sum() >= 3
    capacity = columns["hv_capacity_net_kwh"]
    assert np.nanmin(np.diff(capacity[np.isfinite(capacity)])) < -0.05


def test_rest_voltage_keeps_the_charge_of_nmc_cells_right() -> None:
    cars = [f"car-{number:04d}" for number in range(1, 7)]
    fleet = build_fleet(6, 45, 2, START, [FaultOrder(DRIFT, one, 0.0) for one in cars])
    chemistry = {vehicle.vehicle_id: vehicle.record.chemistry for vehicle in fleet.vehicles}
    assert {chemistry[one.vehicle_id] for one in fleet.truth.faults} == {"NMC", "LFP"}
    for one in fleet.truth.faults:
        assert (one.failed_at is not None) == (chemistry[one.vehicle_id] == "LFP")
