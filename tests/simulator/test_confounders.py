"""What looks odd and is no fault shows in the samples, and stays within what is sound."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from simulator.fleet import Fleet, build_fleet
from simulator.truth import ConfounderTruth

START = date(2026, 9, 1)
DAYS = 35
WHEELS = ("fl", "fr", "rl", "rr")


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return build_fleet(24, DAYS, 4, START, faults=[])


@pytest.fixture(scope="module")
def cars(fleet: Fleet, lives: Callable[[Fleet], Any]) -> Any:
    return lives(fleet)


def first(fleet: Fleet, kind: str) -> ConfounderTruth:
    return next(one for one in fleet.truth.confounders if one.confounder == kind)


def between(times: Any, start: datetime, end: datetime) -> Any:
    low, high = (np.datetime64(at.astimezone(UTC).replace(tzinfo=None)) for at in (start, end))
    return (times >= low) & (times < high)


def cold_pressure(columns: Any, rows: Any) -> Any:
    return np.array([np.nanpercentile(columns[f"tyre_pressure_{wheel}_kpa"][rows], 10) for wheel in WHEELS])


def test_cold_snap_drops_all_four_tyres_together(fleet: Fleet, cars: Any) -> None:
    noisy = {one.vehicle_id for one in fleet.truth.confounders if one.confounder == "noisy_tyre_sensor"}
    falls = []
    for snap in fleet.truth.confounders:
        if snap.confounder != "cold_snap" or snap.vehicle_id in noisy:
            continue
        times, columns, _ = cars[snap.vehicle_id]
        known = ~np.isnan(columns["tyre_pressure_fl_kpa"])
        week = known & between(times, snap.start_at - timedelta(days=4), snap.start_at)
        cold = known & between(times, snap.start_at + timedelta(days=1), snap.end_at - timedelta(days=1))
        if week.sum() > 20 and cold.sum() > 20:
            falls.append(cold_pressure(columns, week) - cold_pressure(columns, cold))
    assert len(falls) > 10
    assert np.median(falls) > 5.0
    assert (np.ptp(falls, axis=1) <= 5.0).all()


def test_noisy_tyre_sensor_scatters_without_losing_pressure(fleet: Fleet, cars: Any) -> None:
    truth = first(fleet, "noisy_tyre_sensor")
    _, columns, _ = cars[truth.vehicle_id]
    pressure = {wheel: columns[f"tyre_pressure_{wheel}_kpa"] for wheel in WHEELS}
    wheel = truth.locations[0]
    others = np.mean([pressure[one] for one in WHEELS if one != wheel], axis=0)
    apart = (pressure[wheel] - others)[~np.isnan(pressure[wheel] - others)]
    assert np.isnan(pressure[wheel]).sum() > np.isnan(others).sum()
    assert apart.std() > 5.0
    half = len(apart) // 2
    assert abs(apart[:half].mean() - apart[half:].mean()) < 2.5


def test_noisy_low_voltage_sensor_spikes_and_keeps_its_median(fleet: Fleet, cars: Any) -> None:
    truth = first(fleet, "noisy_lv_sensor")
    _, columns, _ = cars[truth.vehicle_id]
    resting = columns["lv_voltage_v"][(columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -1.0)]
    assert resting.std() > 0.08
    assert np.median(resting) > 12.5
    assert resting.min() < np.median(resting) - 1.5


def test_isolation_dropouts_are_single_readings(fleet: Fleet, cars: Any) -> None:
    truth = first(fleet, "isolation_dropouts")
    _, columns, _ = cars[truth.vehicle_id]
    read = columns["isolation_kohm"][columns["isolation_valid"] == 1.0]
    low = read < 0.3 * np.median(read)
    assert 0.01 < low.mean() < 0.06
    assert np.median(read[:100]) == pytest.approx(np.median(read[-100:]), rel=0.4)


def test_long_parking_drains_the_low_voltage_battery_slowly_and_tops_it_up(fleet: Fleet, cars: Any) -> None:
    for truth in fleet.truth.confounders:
        if truth.confounder != "long_parking":
            continue
        times, columns, events = cars[truth.vehicle_id]
        parked = between(times, truth.start_at + timedelta(days=1), truth.end_at)
        volts = columns["lv_voltage_v"][parked & (columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -1.0)]
        assert volts[:20].mean() - volts.min() > 0.02
        assert volts.min() > 12.3
        assert not [event for event in events if truth.start_at <= event.at < truth.end_at]
        assert np.nanmax(columns["speed_kmh"][parked], initial=0.0) == 0.0


def test_isolation_is_not_measured_while_charging_with_direct_current(cars: Any) -> None:
    seen = 0
    for _, columns, _ in cars.values():
        direct = (columns["charge_phases"] == 0.0) & (columns["charge_current_a"] > 0.0)
        home = columns["charge_phases"] > 0.0
        seen += int(direct.sum())
        assert (columns["isolation_valid"][direct] == 0.0).all()
        assert (columns["isolation_kohm"][direct] < 200.0).all()
        assert (columns["isolation_valid"][home] == 1.0).all()
    assert seen > 50
