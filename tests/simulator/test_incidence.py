"""Faults by their rates: how many, of which kind, and that cars do not depend on each other."""

from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from simulator.car import Car, build_car, vehicle_id
from simulator.fault_modes import FAULT_MODES, SIMULATED
from simulator.faults import FaultError, FaultOrder
from simulator.fleet import build_fleet
from simulator.incidence import can_have, draw_faults, rate
from simulator.models import Chemistry
from vehicle.failure import FailureMode

START = date(2026, 9, 1)
YEARS = 4.0
CARS = 4000
EVERY = tuple(FAULT_MODES)


@pytest.fixture(scope="module")
def many() -> list[Car]:
    """Cars that differ in their numbers, and in what they draw, alone."""
    drawn = [build_car(5, number, 100, ()) for number in range(40)]
    return [replace(drawn[number % 40], number=number, vehicle_id=vehicle_id(number)) for number in range(CARS)]


@pytest.fixture(scope="module")
def faults(many: list[Car]) -> list[FaultOrder]:
    return draw_faults(many, round(YEARS * 365.25), 1.0, EVERY)


def test_a_car_has_a_fault_every_ten_years(faults: list[FaultOrder]) -> None:
    per_car_year = len(faults) / CARS / YEARS
    # 16,000 car-years: 4 standard deviations are 10 %. Two modes cannot strike every car, a mode strikes a car once.
    assert 0.085 < per_car_year < 0.105


def test_breakdowns_have_the_shares_of_the_statistics(faults: list[FaultOrder]) -> None:
    stranded = Counter(order.mode for order in faults if FAULT_MODES[order.mode].strands)
    total = stranded.total()
    for mode, share in ((FailureMode.LV_BATTERY_AGEING, 0.54), (FailureMode.TYRE_SLOW_LEAK, 0.14)):
        assert stranded[mode] / total == pytest.approx(share, abs=4.0 * np.sqrt(share * (1.0 - share) / total) + 0.01)


def test_every_mode_comes_by_its_own_rate(many: list[Car]) -> None:
    days, factor = 365, 40.0
    struck = Counter(order.mode for order in draw_faults(many, days, factor, EVERY))
    for mode in EVERY:
        rates = np.array([rate(car, mode) for car in many if can_have(car, mode)])
        chances = 1.0 - np.exp(-rates / 1000.0 * factor * days / 365.25)
        margin = 4.0 * np.sqrt((chances * (1.0 - chances)).sum()) + 1.0
        assert struck[mode] == pytest.approx(chances.sum(), abs=margin), mode


def test_onsets_spread_over_all_days_and_some_cars_have_several_faults(many: list[Car]) -> None:
    orders = draw_faults(many, 100, 10.0, EVERY)
    onsets = np.array([order.onset_day for order in orders])
    assert 0.0 <= onsets.min() < 2.0
    assert 98.0 < onsets.max() <= 100.0
    assert onsets.mean() == pytest.approx(50.0, abs=5.0)
    assert max(Counter(order.vehicle_id for order in orders).values()) > 1


def test_more_modes_more_cars_and_more_days_shift_no_draw(many: list[Car]) -> None:
    few = draw_faults(many[100:200], 50, 100.0, SIMULATED)
    known = set(draw_faults(many, 80, 100.0, EVERY))
    assert few
    assert set(few) <= known


def test_a_mode_strikes_only_cars_that_have_what_it_strikes(many: list[Car]) -> None:
    drift = FailureMode.BMS_CALIBRATION_DRIFT
    struck = {order.vehicle_id for order in draw_faults(many, 365, 1e6, (drift,))}
    assert struck == {car.vehicle_id for car in many if car.model.chemistry is Chemistry.LFP}


def test_no_incidence_is_a_healthy_fleet_and_ordered_faults_stay() -> None:
    order = FaultOrder(SIMULATED[0], "car-0002", 3.0)
    assert build_fleet(4, 5, 1, START, incidence=0.0).truth.faults == ()
    assert len(build_fleet(4, 5, 1, START, [order], incidence=0.0).truth.faults) == 1
    whole = build_fleet(4, 5, 1, START, [order], incidence=1e6).truth.faults
    assert len({(one.vehicle_id, one.failure_mode) for one in whole}) == len(whole) > 4
    kept = next(one for one in whole if (one.vehicle_id, one.failure_mode) == ("car-0002", SIMULATED[0]))
    assert kept.onset_at.day == 4


@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf")])
def test_a_factor_that_is_none_is_refused(factor: float) -> None:
    with pytest.raises(FaultError, match="factor"):
        build_fleet(2, 2, 1, START, incidence=factor)
