"""What looks odd and is no fault shows in the samples, and stays within what is sound."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.refrigerant import boils_c
from simulator.confounders import DRAWN_TOO, Confounder, Variety
from simulator.consumption import COMFORT_C
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.readings import SHIFTS
from simulator.truth import ConfounderTruth
from vehicle.batch import EventKind
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE

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
        told = [event.kind for event in events if truth.start_at <= event.at < truth.end_at]
        assert set(told) <= {EventKind.SOFTWARE}, "software updates alone"
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


# What only a fleet with all confounders has


@pytest.fixture(scope="module")
def varied() -> Fleet:
    return build_fleet(20, 24, 33, START, faults=[], confounders=Variety.ALL)


@pytest.fixture(scope="module")
def odd(varied: Fleet, lives: Callable[[Fleet], Any]) -> Any:
    return lives(varied)


@pytest.fixture(scope="module")
def plain(lives: Callable[[Fleet], Any]) -> Any:
    """The same cars without them."""
    return lives(build_fleet(20, 24, 33, START, faults=[]))


def every(fleet: Fleet, kind: Confounder) -> list[ConfounderTruth]:
    """Cars that are driven enough to show it."""
    found = [one for one in fleet.truth.confounders if one.confounder == kind]
    parked = {one.vehicle_id for one in fleet.truth.confounders if one.confounder == Confounder.LONG_PARKING}
    noisy = {one.vehicle_id for one in fleet.truth.confounders if one.confounder == Confounder.NOISY_TYRE_SENSOR}
    assert found
    return [one for one in found if one.vehicle_id not in parked | noisy]


def cold_kpa(columns: Any, rows: Any, wheel: str) -> float:
    """Median absolute pressure as it would be at 20 degC."""
    pressure = columns[f"tyre_pressure_{wheel}_kpa"][rows] + 101.3
    return float(np.nanmedian(pressure * 293.15 / (columns[f"tyre_temp_{wheel}_c"][rows] + 273.15)))


def steps(life: Any, truth: ConfounderTruth) -> Any:
    """By wheel, cold pressure after the day less that before it."""
    times, columns, _ = life
    before = times < np.datetime64(truth.start_at.replace(tzinfo=None))
    return np.array([cold_kpa(columns, ~before, wheel) - cold_kpa(columns, before, wheel) for wheel in WHEELS])


def test_every_kind_is_in_the_truth_with_dates_and_the_usual_ones_stay(varied: Fleet) -> None:
    usual = build_fleet(20, 24, 33, START, faults=[]).truth.confounders
    kinds = {one.confounder for one in varied.truth.confounders}
    assert kinds == set(Confounder)
    moved = {one.vehicle_id for one in varied.truth.confounders if one.confounder == Confounder.RELOCATION}
    assert {one for one in usual if one.vehicle_id not in moved} <= set(varied.truth.confounders)
    placeless = {one.confounder for one in varied.truth.confounders if not one.locations}
    assert placeless == {"noisy_lv_sensor", "isolation_dropouts", "long_parking", "new_lv_battery", "trailer"}
    assert all(one.start_at < one.end_at for one in varied.truth.confounders)


def test_nothing_changes_before_the_confounder_shows(varied: Fleet, odd: Any, plain: Any) -> None:
    for truth in varied.truth.confounders:
        if truth.confounder in set(DRAWN_TOO) - {None}:
            times, columns, _ = odd[truth.vehicle_id]
            before = int((times < np.datetime64(truth.start_at.replace(tzinfo=None)) - np.timedelta64(1, "h")).sum())
            for name, values in plain[truth.vehicle_id][1].items():
                same = np.array_equal(values[:before], columns[name][:before], equal_nan=True)
                assert same, (truth.confounder, name)


def test_tyres_read_more_in_thin_air(varied: Fleet, odd: Any) -> None:
    for truth in every(varied, Confounder.ALTITUDE):
        times, columns, _ = odd[truth.vehicle_id]
        there = between(times, truth.start_at + timedelta(days=2), truth.end_at)
        altitude = float(truth.locations[0].removesuffix(" m"))
        if np.isfinite(columns["speed_kmh"][there]).sum() > 50:
            assert np.nanmax(columns["altitude_m"][there]) == pytest.approx(altitude, abs=60.0)
            home = times < np.datetime64(truth.start_at.replace(tzinfo=None))
            risen = [cold_kpa(columns, there, wheel) - cold_kpa(columns, home, wheel) for wheel in WHEELS]
            assert np.mean(risen) == pytest.approx(11.3 * altitude / 1000.0, abs=8.0)
            assert np.ptp(risen) < 5.0


def test_in_the_mountains_the_refrigerant_boils_below_the_air_that_is_there(varied: Fleet, odd: Any) -> None:
    seen = 0
    for truth in every(varied, Confounder.ALTITUDE):
        times, columns, _ = odd[truth.vehicle_id]
        heats = (columns["ac_compressor_power_kw"] > 0.3) & (columns["ambient_temp_c"] < COMFORT_C)
        there = heats & between(times, truth.start_at + timedelta(days=2), truth.end_at)
        below = (columns["ambient_temp_c"] - boils_c(columns["refrigerant_low_kpa"]))[there]
        assert ((below > 1.0) & (below < 13.0)).all()
        seen += len(below)
    assert seen > 20


def test_the_sun_warms_the_tyres_of_one_side_and_their_pressure(varied: Fleet, odd: Any) -> None:
    for truth in every(varied, Confounder.SUNNY_SIDE):
        _, columns, _ = odd[truth.vehicle_id]
        shaded = [wheel for wheel in WHEELS if wheel not in truth.locations]
        assert {wheel[1] for wheel in truth.locations} in ({"l"}, {"r"})
        warmer = columns[f"tyre_temp_{truth.locations[0]}_c"] - columns[f"tyre_temp_{shaded[0]}_c"]
        assert np.nanmax(warmer) > 4.0
        assert np.nanmedian(warmer) < 3.0


def test_tyres_are_changed_filled_and_rotated_on_their_day(varied: Fleet, odd: Any) -> None:
    for truth in every(varied, Confounder.TYRE_ROTATION):
        life = odd[truth.vehicle_id]
        times, columns, _ = life
        before = times < np.datetime64(truth.start_at.replace(tzinfo=None))
        apart = cold_kpa(columns, before, "fl") - cold_kpa(columns, before, "rl")
        after = cold_kpa(columns, ~before, "fl") - cold_kpa(columns, ~before, "rl")
        assert after == pytest.approx(-apart, abs=2.5)
    for truth in every(varied, Confounder.NEW_TYRE):
        moved = steps(odd[truth.vehicle_id], truth)
        others = np.delete(moved, WHEELS.index(truth.locations[0]))
        assert np.ptp(others) < 3.0
        assert abs(moved[WHEELS.index(truth.locations[0])] - others.mean()) > 1.0
    for kind in (Confounder.TYRE_INFLATION, Confounder.TYRE_CHANGE):
        assert np.abs([steps(odd[truth.vehicle_id], truth) for truth in every(varied, kind)]).max() > 3.0


def test_a_trailer_costs_energy_and_heats_the_drive_unit(varied: Fleet, odd: Any, plain: Any) -> None:
    for truth in every(varied, Confounder.TRAILER):
        used, stators = [], []
        for life in (odd[truth.vehicle_id], plain[truth.vehicle_id]):
            times, columns, _ = life
            week = between(times, truth.start_at, truth.end_at)
            driving = week & (columns["speed_kmh"] > 20.0)
            used.append(np.nansum(np.maximum(columns["motor_torque_r_nm"][driving], 0.0)))
            stators.append(np.nanmax(columns["motor_stator_temp_r_c"][driving], initial=0.0))
        if used[1] > 0.0:
            assert used[0] > 1.3 * used[1]
            assert stators[0] > stators[1] + 2.0


def test_an_update_shifts_one_signal_by_an_offset(varied: Fleet, odd: Any, plain: Any) -> None:
    for truth in every(varied, Confounder.SOFTWARE_SHIFT):
        (name,) = truth.locations
        times, columns, _ = odd[truth.vehicle_id]
        apart = columns[name] - plain[truth.vehicle_id][1][name]
        after = times >= np.datetime64(truth.start_at.replace(tzinfo=None))
        assert np.nanmax(np.abs(apart[~after])) == 0.0
        assert np.nanmedian(apart[after]) == pytest.approx(dict(SHIFTS)[name], abs=0.51)


def test_dropouts_take_one_units_readings_together(varied: Fleet, odd: Any, plain: Any) -> None:
    for truth in every(varied, Confounder.SENSOR_DROPOUTS):
        columns, whole = odd[truth.vehicle_id][1], plain[truth.vehicle_id][1]
        for name in whole:
            lost = np.isnan(columns[name]) & ~np.isnan(whole[name])
            share = lost.sum() / np.isfinite(whole[name]).sum()
            assert 0.05 < share < 0.25 if name in truth.locations else share == 0.0, name


def test_a_new_battery_rests_higher(varied: Fleet, odd: Any, plain: Any) -> None:
    for truth in every(varied, Confounder.NEW_LV_BATTERY):
        rests = []
        for times, columns, _ in (odd[truth.vehicle_id], plain[truth.vehicle_id]):
            asleep = (columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -1.0)
            after = times > np.datetime64(truth.start_at.replace(tzinfo=None))
            rests.append(np.median(columns["lv_voltage_v"][asleep & after]))
        assert 0.05 < rests[0] - rests[1] < 0.15


def test_a_car_that_moves_lives_in_the_other_regions_weather(varied: Fleet, odd: Any, plain: Any) -> None:
    for truth in every(varied, Confounder.RELOCATION):
        times, columns, _ = odd[truth.vehicle_id]
        after = times >= np.datetime64(truth.start_at.replace(tzinfo=None))
        means = [np.nanmean(life[truth.vehicle_id][1]["altitude_m"][after]) for life in (odd,)]
        home = np.nanmean(columns["altitude_m"][~after])
        assert abs(means[0] - home) > 200.0
        assert "altitude_m" not in plain[truth.vehicle_id][1]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        (Confounder.NEW_LV_BATTERY, FailureMode.LV_BATTERY_AGEING),
        (Confounder.TYRE_CHANGE, FailureMode.TYRE_SLOW_LEAK),
    ],
)
def test_a_new_part_ends_the_fault_of_the_old_one(varied: Fleet, kind: Confounder, mode: FailureMode) -> None:
    truth = every(varied, kind)[0]
    order = FaultOrder(mode, truth.vehicle_id, 1.0)
    (fault,) = build_fleet(20, 24, 33, START, [order], confounders=Variety.ALL).truth.faults
    assert fault.repaired_at == truth.start_at
    assert fault.visits == ()


@settings(max_examples=4)
@given(st.integers(0, 2**63))
def test_varied_fleets_stay_within_the_catalogue_and_can_be_made_alone(
    lives: Callable[[Fleet], Any], seed: int
) -> None:
    fleet = build_fleet(15, 4, seed, START, incidence=300.0, workshop=True, confounders=Variety.ALL)
    whole = lives(fleet)
    for times, columns, _ in whole.values():
        for name, values in columns.items():
            known = values[~np.isnan(values)]
            assert CATALOGUE[name].minimum <= known.min()
            assert known.max() <= max(CATALOGUE[name].maximum, len(CATALOGUE[name].values) - 1)
        assert (np.diff(times) > np.timedelta64(0)).all()
    alone = lives(fleet.alone("car-0003"))["car-0003"]
    assert all(np.array_equal(alone[1][name], values, equal_nan=True) for name, values in whole["car-0003"][1].items())
