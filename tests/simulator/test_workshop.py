"""Repairs: what a visit may come to, and that a repaired car is a sound car again."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from simulator import workshop
from simulator.car import build_car
from simulator.course import Course, Result
from simulator.day import Cars
from simulator.fault_modes import FAULT_MODES
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.weather import DAY_S
from vehicle.batch import EventKind
from vehicle.failure import FailureMode

START = date(2026, 9, 1)
DAYS = 45
STRUCK = (FailureMode.TYRE_SLOW_LEAK, FailureMode.LV_BATTERY_AGEING, FailureMode.COOLANT_PUMP_WEAK)
ORDERS = [FaultOrder(mode, f"car-{1 + number:04d}", 5.0) for number, mode in enumerate(STRUCK)]


@pytest.fixture(scope="module")
def repaired(lives: Callable[[Fleet], Any]) -> tuple[Fleet, Any, Any]:
    """A fleet that is repaired, its life, and its healthy twin's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workshop, "NOTICE_DAYS", 1e6)
        fleet = build_fleet(3, DAYS, 2, START, ORDERS, workshop=True)
        return fleet, (lives(fleet), fleet.truth), lives(build_fleet(3, DAYS, 2, START, []))


def moment(at: datetime) -> np.datetime64:
    return np.datetime64(at.replace(tzinfo=None))


def course_of(number: int, mode: FailureMode, failed_day: float) -> tuple[Cars, list[list[Course]]]:
    car = build_car(3, number, 60, (FaultOrder(mode, f"car-{1 + number:04d}", 1.0),))
    return Cars((car,)), [[Course(car.faults[0], failed_s=failed_day * DAY_S)]]


def seen_to(number: int, mode: FailureMode) -> Course:
    cars, courses = course_of(number, mode, 10.3)
    index = 10
    while not courses[0][0].repaired:
        workshop.advance(cars, courses, index)
        index += 1
    assert cars.cars[0].faults == (courses[0][0].fault,)
    return courses[0][0]


def test_visits_come_to_what_they_do_as_often_as_they_should() -> None:
    first = [seen_to(number, FailureMode.TYRE_SLOW_LEAK).visits[0].result for number in range(2000)]
    counted = Counter(first)
    shares = {
        Result.NO_FAULT_FOUND: 1.0 - workshop.FOUND,
        Result.WRONG_PART: workshop.FOUND * (1.0 - workshop.RIGHT_PART),
        Result.NOT_CURED: workshop.FOUND * workshop.RIGHT_PART * (1.0 - workshop.FIXES),
    }
    for result, share in shares.items():
        assert counted[result] / len(first) == pytest.approx(share, abs=4.0 * np.sqrt(share / len(first)))
    assert counted.total() == len(first)


def test_a_car_comes_again_until_it_is_repaired_and_then_no_more() -> None:
    courses = [seen_to(number, FailureMode.TYRE_SLOW_LEAK) for number in range(300)]
    for course in courses:
        *before, last = course.visits
        assert last.result is Result.REPAIRED
        assert course.fault.repaired_s == (last.day + 1) * DAY_S
        assert all(one.result is not Result.REPAIRED for one in before)
        assert [one.day for one in course.visits] == sorted({one.day for one in course.visits})
        assert course.visits[0].day > 10
    assert max(len(course.visits) for course in courses) > 1


@pytest.mark.parametrize("mode", FAULT_MODES)
def test_the_repair_replaces_one_of_the_modes_parts_and_a_wrong_part_is_another(mode: FailureMode) -> None:
    for number in range(100):
        *before, last = seen_to(number, mode).visits
        parts = FAULT_MODES[mode].parts
        assert len(last.replaced) == min(len(parts), 1)
        assert set(last.replaced) <= set(parts)
        for visit in before:
            if visit.result is Result.WRONG_PART:
                assert len(visit.replaced) == 1
                assert visit.replaced != last.replaced
            else:
                assert visit.replaced == (() if visit.result is Result.NO_FAULT_FOUND else last.replaced)


def test_a_fault_that_nobody_sees_is_not_repaired() -> None:
    cars, courses = course_of(0, FailureMode.TYRE_SLOW_LEAK, np.inf)
    for index in range(200):
        assert workshop.advance(cars, courses, index) == []
    assert not courses[0][0].visits


def test_broken_down_cars_drive_again_after_the_repair(repaired: Any) -> None:
    _, (lives, truth), _ = repaired
    assert len(truth.faults) == len(STRUCK)
    for fault in truth.faults:
        assert fault.failed_at is not None
        assert fault.repaired_at is not None
        assert fault.failed_at < fault.repaired_at == fault.visits[-1].at + timedelta(days=1)
        times, columns, events = lives[fault.vehicle_id]
        between = (times > moment(fault.failed_at) + np.timedelta64(1, "s")) & (times < moment(fault.repaired_at))
        after = times >= moment(fault.repaired_at)
        assert np.nanmax(columns["speed_kmh"][between], initial=0.0) == 0.0
        assert np.nanmax(columns["speed_kmh"][after]) > 30.0
        assert not [one for one in events if fault.failed_at < one.at < fault.repaired_at and "drive" in one.kind]
        assert [one for one in events if one.at > fault.repaired_at and one.kind is EventKind.DRIVE_START]
        if FAULT_MODES[FailureMode(fault.failure_mode)].silences:
            assert not between.any()


def test_the_symptom_is_gone_with_the_repair(repaired: Any) -> None:
    _, (lives, truth), healthy = repaired
    leak, battery, pump = truth.faults
    wheel = f"tyre_pressure_{leak.locations[0]}_kpa"
    for fault, read in (
        (leak, lambda columns: columns[wheel]),
        (pump, lambda columns: columns["coolant_flow_lpm"] / np.maximum(columns["coolant_pump_speed_rpm"], 1.0)),
        (battery, lambda columns: np.where(columns["dcdc_enabled"] == 0.0, columns["lv_voltage_v"], np.nan)),
    ):
        medians = []
        for times, columns, _ in (lives[fault.vehicle_id], healthy[fault.vehicle_id]):
            values = read(columns)[times > moment(fault.repaired_at) + np.timedelta64(1, "D")]
            medians.append(float(np.nanmedian(values[values != 0.0])))
        assert medians[0] == pytest.approx(medians[1], rel=0.02)


def test_the_odometer_stands_still_and_goes_on(repaired: Any) -> None:
    for _, columns, _ in repaired[1][0].values():
        km = columns["odometer_km"][~np.isnan(columns["odometer_km"])]
        assert (np.diff(km) >= 0.0).all()


def test_a_car_alone_is_repaired_alike(lives: Callable[[Fleet], Any]) -> None:
    fleet = build_fleet(2, 35, 2, START, ORDERS[:2], workshop=True)
    whole, single = lives(fleet)["car-0002"], lives(fleet.alone("car-0002"))["car-0002"]
    assert (whole[0] == single[0]).all()
    assert all(values.tobytes() == single[1][name].tobytes() for name, values in whole[1].items())
    assert fleet.truth.faults[1] == fleet.alone("car-0002").truth.faults[0]


def test_without_a_workshop_nothing_is_repaired() -> None:
    truth = build_fleet(3, DAYS, 2, START, ORDERS).truth
    assert all(fault.repaired_at is None and not fault.visits for fault in truth.faults)
    assert datetime.combine(START, datetime.min.time(), UTC) < truth.faults[0].onset_at
