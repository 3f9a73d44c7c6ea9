"""Brakes and what else holds a car back: which of several causes shows where, and who pays for it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.brakes import CHANGED_PCT, DISC_K
from simulator.car import build_car
from simulator.fault_modes import FAULT_MODES
from simulator.faults import FaultOrder, broken_part
from simulator.fleet import Fleet
from simulator.parking_brake import TRIES
from vehicle.batch import EventKind
from vehicle.failure import FailureMode

START = date(2026, 11, 20)
DAYS = 40
DRAG, FLUID, PARKING, BEARING, SENSOR, SEASON = (
    FailureMode.BRAKE_DRAG,
    FailureMode.BRAKE_FLUID_LOW,
    FailureMode.PARKING_BRAKE_ACTUATOR,
    FailureMode.DRIVE_UNIT_BEARING_WEAR,
    FailureMode.TPMS_SENSOR_BATTERY,
    FailureMode.TYRE_UNDERINFLATION_SEASONAL,
)
WHEELS = ("fl", "fr", "rl", "rr")


@pytest.fixture(scope="module")
def pairs(twins: Callable[..., Any]) -> Any:
    return twins((FLUID, PARKING, SENSOR, SEASON), 3, DAYS, START)


def codes(life: Any) -> set[str]:
    return {event.trouble_code.code for event in life[2] if event.trouble_code}


def used_wh_km(columns: Any) -> float:
    used, driven = (columns[name] for name in ("energy_used_lifetime_kwh", "odometer_km"))
    return float(1000.0 * (np.nanmax(used) - np.nanmin(used)) / (np.nanmax(driven) - np.nanmin(driven)))


@pytest.fixture(scope="module", params=[DRAG, BEARING])
def grown(request: pytest.FixtureRequest, lives: Callable[[Fleet], Any]) -> Any:
    """A mode, grown to about half, in every car of a fleet: cars, lives, and those of their sound twins."""
    onset = -0.6 * FAULT_MODES[request.param].duration_days
    sound = [build_car(8, number, 8, ()) for number in range(12)]
    struck = [build_car(8, one.number, 8, (FaultOrder(request.param, one.vehicle_id, onset),)) for one in sound]
    return struck, lives(Fleet(struck, 8, 8, START)), lives(Fleet(sound, 8, 8, START))


def test_what_holds_the_car_back_is_paid_by_the_battery(grown: Any) -> None:
    cars, struck, sound = grown
    for car in cars:
        own, twin = struck[car.vehicle_id][1], sound[car.vehicle_id][1]
        if np.ptp(own["odometer_km"][np.isfinite(own["odometer_km"])]) > 100.0:
            assert used_wh_km(own) > 1.01 * used_wh_km(twin)
            assert np.nanmax(own["speed_kmh"]) == np.nanmax(twin["speed_kmh"])


def test_each_shows_at_its_own_wheel_or_axle(grown: Any) -> None:
    """What a drag does to discs and pads, a bearing to torque; nothing of it elsewhere."""
    cars, struck, sound = grown
    rubbed: dict[str, list[float]] = {"brake pads": [], "brake caliper": []}
    for car in cars:
        (fault,) = car.faults
        own, twin = struck[car.vehicle_id][1], sound[car.vehicle_id][1]
        if np.ptp(own["odometer_km"][np.isfinite(own["odometer_km"])]) < 100.0:
            continue
        if fault.order.mode is BEARING:
            means = {axle: np.nanmean(own[name]) - np.nanmean(twin[name]) for axle, name in torques(own).items()}
            assert means.pop(fault.location_name) > 0.3
            assert all(abs(other) < 0.1 for other in means.values())
            continue
        hotter = {one: np.nanmax(own[name]) - np.nanmax(twin[name]) for one, name in wheels("brake_disc_temp_{}_c")}
        worn = {one: np.nanmax(own[name]) - np.nanmax(twin[name]) for one, name in wheels("brake_pad_wear_{}_pct")}
        rubbed[broken_part(8, car.number, DRAG)].append(hotter.pop(fault.location_name))
        assert max(hotter.values()) < 5.0
        assert worn.pop(fault.location_name) > 10.0
        assert max(worn.values()) <= 1.0
    if rubbed["brake caliper"]:
        assert min(rubbed["brake pads"]) > 10.0 * DISC_K
        assert np.median(rubbed["brake caliper"]) > np.median(rubbed["brake pads"]) + 20.0


def torques(columns: Any) -> dict[str, str]:
    return {axle: f"motor_torque_{axle}_nm" for axle in "fr" if f"motor_torque_{axle}_nm" in columns}


def wheels(name: str) -> list[tuple[str, str]]:
    return [(wheel, name.format(wheel)) for wheel in WHEELS]


def test_low_fluid_sets_the_makers_code_before_the_brake_fails(pairs: Any) -> None:
    pair = pairs[FLUID]
    assert "IDB_a022" in codes(pair.struck)
    assert "IDB_a022" not in codes(pair.healthy)
    assert not pair.healthy[1]["brake_fluid_low"][np.isfinite(pair.healthy[1]["brake_fluid_low"])].any()
    own, _ = pair.before_failure("brake_fluid_low")
    assert (own == 1.0).any()


def test_a_parking_brake_tries_again_until_it_gives_up(pairs: Any) -> None:
    pair = pairs[PARKING]
    assert "EPBL_a247" in codes(pair.struck)
    assert pair.raised("parking_brake_retries").max() >= 2.0
    retries = pair.struck[1]["parking_brake_retries"]
    assert np.diff(retries[np.isfinite(retries)]).max() == TRIES
    engaged = pair.struck[1]["parking_brake_engaged"]
    assert engaged[np.isfinite(engaged)][-1] == 0.0
    own, twin = pair.before_failure("parking_brake_engaged")
    assert (own[np.isfinite(own)] == twin[np.isfinite(own)]).all()


def test_an_empty_sensor_is_heard_less_in_the_cold_and_then_shows_no_pressure(pairs: Any) -> None:
    pair = pairs[SENSOR]
    (wheel,) = pair.fault.locations
    late = pair.raised(f"tyre_last_seen_{wheel}_ts")
    assert late.min() <= -180.0
    assert late.max() <= 0.0
    assert "TPMS_sensor_missing" in codes(pair.struck)
    times, columns, _ = pair.struck
    silent = np.isnan(columns[f"tyre_pressure_{wheel}_kpa"]) & np.isfinite(columns["speed_kmh"])
    silent &= columns["speed_kmh"] > 0.0
    assert silent.any()
    assert (times[silent] >= np.datetime64(pair.fault.failed_at.replace(tzinfo=None))).all()
    for other in WHEELS:
        if other != wheel:
            assert not np.isnan(columns[f"tyre_pressure_{other}_kpa"][silent]).any()


def test_tyres_that_nobody_fills_lose_alike(pairs: Any) -> None:
    pair = pairs[SEASON]
    lost = np.stack([-pair.raised(f"tyre_pressure_{wheel}_kpa") for wheel in WHEELS])
    assert lost.max() > 40.0
    assert (lost.max(axis=0) - lost.min(axis=0)).max() < 0.15 * lost.max()


def test_sound_brakes_stay_cool_and_their_pads_last(lives: Callable[[Fleet], Any]) -> None:
    cars = [build_car(4, number, 10, ()) for number in range(16)]
    for _, columns, events in lives(Fleet(cars, 10, 4, START)).values():
        for wheel in WHEELS:
            assert np.nanmax(columns[f"brake_disc_temp_{wheel}_c"]) < 150.0
            assert np.nanmax(columns[f"brake_pad_wear_{wheel}_pct"]) < CHANGED_PCT + 5.0
        assert not [event for event in events if event.kind is EventKind.TROUBLE_CODE]
