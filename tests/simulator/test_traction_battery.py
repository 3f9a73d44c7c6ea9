"""The traction battery's own faults: a group that discharges itself, weak cooling, and a probe that tells stories."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.car import MOST_SPREAD, OLD_YEARS, build_car
from simulator.day import Phase
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.models import Chemistry
from simulator.module_temperatures import PLAUSIBLE_C, SENSOR_K
from simulator.owner import HomeCharger
from vehicle.failure import FailureMode

SHORT, COOLING, PROBE = (
    FailureMode.CELL_INTERNAL_SHORT,
    FailureMode.PACK_COOLING_WEAK,
    FailureMode.THERMISTOR_FAULT,
)
MODES = (SHORT, COOLING, PROBE)
START = date(2026, 6, 1)


@pytest.fixture(scope="module", params=[1, 2, 7])
def pairs(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins(MODES, request.param, 45, START)


@pytest.mark.parametrize("mode", MODES)
def test_equal_until_the_onset_then_visible_then_failed_in_time(pairs: Any, mode: FailureMode) -> None:
    pairs[mode].check_onset()
    pairs[mode].check_failure()


def test_a_shorted_group_sags_against_its_peers_from_rest_to_rest_and_warms_its_module(pairs: Any) -> None:
    pair = pairs[SHORT]
    group = int(pair.fault.locations[0].removeprefix("V_")) - 1
    own, twin = (one[np.isfinite(one[:, 0])] for one in pair.before_failure("cell_voltages_v"))
    sag_v = (np.median(own, axis=1) - own[:, group]) - (np.median(twin, axis=1) - twin[:, group])
    weekly = [part.mean() for part in np.array_split(sag_v, 6)]
    assert sag_v.max() > 0.03
    assert weekly[-1] > weekly[-2] > weekly[-3] > 0.0
    others = np.delete(own, group, axis=1) - np.delete(twin, group, axis=1)
    assert np.abs(others).max() < 0.003
    modules = pair.struck[1]["module_temps_c"].shape[1]
    warm = pair.before_failure("module_temps_c")
    rise = np.nanmean(warm[0][-200:] - warm[1][-200:], axis=0)
    assert int(rise.argmax()) == group * modules // own.shape[1]


def test_weak_cooling_shows_as_modules_further_apart(pairs: Any) -> None:
    pair = pairs[COOLING]
    delta = pair.raised("module_temp_delta_c")
    assert delta.max() >= 1.0
    half = len(delta) // 2
    assert delta[half:].mean() > delta[:half].mean()


def test_weak_cooling_shows_most_at_a_fast_charger(lives: Callable[..., Any]) -> None:
    cars = (build_car(1, number, 25, ()) for number in range(40))
    car = next(one for one in cars if one.owner.charger is HomeCharger.NONE)
    orders = [FaultOrder(COOLING, car.vehicle_id, 0.0)]
    struck, sound = (build_fleet(car.number + 1, 25, 1, START, faults).alone(car.vehicle_id) for faults in (orders, []))
    hottest = [np.nanmax(lives(fleet)[car.vehicle_id][1]["module_temp_max_c"]) for fleet in (struck, sound)]
    assert hottest[0] > hottest[1] + 5.0


def test_one_probe_leaves_the_others_and_ends_implausible(pairs: Any) -> None:
    pair = pairs[PROBE]
    module = int(pair.fault.locations[0].removeprefix("M_")) - 1
    own, twin = pair.before_failure("module_temps_c")
    apart = np.abs(own - twin)
    assert np.nanmax(apart[:, module]) > 3.0 * SENSOR_K
    assert np.nanmax(np.delete(apart, module, axis=1)) == 0.0
    low, high = np.nanmin(pair.struck[1]["module_temp_min_c"]), np.nanmax(pair.struck[1]["module_temp_max_c"])
    assert low < PLAUSIBLE_C[0] or high > PLAUSIBLE_C[1]


def test_every_module_has_its_probe_and_the_hottest_is_the_maximum(lives: Callable[..., Any]) -> None:
    fleet = build_fleet(6, 3, 4, START, faults=[])
    groups = {vehicle.vehicle_id: vehicle.record.cell_count or 0 for vehicle in fleet.vehicles}
    for vehicle_id, (_, columns, _) in lives(fleet).items():
        temps = columns["module_temps_c"]
        sampled = np.isfinite(temps[:, 0])
        assert temps.shape[1] == round(groups[vehicle_id] / 12)
        assert not np.isnan(temps[sampled]).any()
        assert np.abs(temps[sampled].max(axis=1) - columns["module_temp_max_c"][sampled]).max() <= 1.0
        assert (sampled == np.isfinite(columns["cell_voltages_v"][:, 0])).all()


def test_one_car_in_twenty_has_groups_that_have_fallen_apart_and_it_is_an_old_one() -> None:
    cars = [build_car(3, number, 1, ()) for number in range(1200)]
    nmc = [car for car in cars if car.model.chemistry is Chemistry.NMC]
    apart = [car for car in nmc if car.cell_spread > 6.0]
    assert 0.02 < len(apart) / len(nmc) < 0.08
    assert min(car.age_years for car in apart) > OLD_YEARS
    assert max(car.cell_spread for car in cars if car.model.chemistry is Chemistry.LFP) < 2.5


def test_groups_of_such_a_car_lie_fifty_millivolts_apart_and_none_of_them_is_weak(lives: Callable[..., Any]) -> None:
    cars = (build_car(3, number, 4, ()) for number in range(1200))
    car = next(one for one in cars if one.cell_spread >= MOST_SPREAD)
    _, columns, _ = lives(Fleet([car], 4, 3, START))[car.vehicle_id]
    volts = columns["cell_voltages_v"][np.abs(columns["hv_current_a"]) < 2.0]
    volts = volts[np.isfinite(volts[:, 0])]
    low, middle, high = np.percentile(volts, [5.0, 50.0, 95.0], axis=1)
    assert 0.04 < np.median(high - low) < 0.09
    # Sorted into bins: none lies far beyond the others, as a weak one does.
    assert np.median(middle - volts.min(axis=1)) < 0.75 * np.median(high - low)


def test_two_faults_of_one_battery_show_both() -> None:
    weak, short = FailureMode.WEAK_CELL_GROUP, SHORT
    orders = [FaultOrder(mode, "car-0001", 0.0) for mode in (weak, short)]
    fleet = build_fleet(1, 8, 1, START, orders)
    weak_at, short_at = (int(fault.locations[0].removeprefix("V_")) - 1 for fault in fleet.truth.faults)
    assert all(fault.first_visible_at is not None for fault in fleet.truth.faults)
    (convoy,) = fleet._convoys
    for _ in range(8):
        day, _ = convoy.live()
    groups_mv = day.cells[0].millivolts(np.flatnonzero(day.phase != Phase.ASLEEP))
    below = np.median(groups_mv, axis=1)[:, None] - groups_mv
    assert {weak_at, short_at} <= set(np.argsort(below.mean(axis=0))[-2:])
