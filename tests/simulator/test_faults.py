"""Ordering faults: what can be read, and what is refused with which words."""

from datetime import date

import numpy as np
import pytest

from simulator.fault_modes import FAULT_MODES, SIMULATED, STORY
from simulator.faults import WHEELS, WORST, FaultError, FaultOrder, build_fault, parse_order
from simulator.fleet import build_fleet
from simulator.models import MODELS, CarModel
from vehicle.failure import FailureMode

START = date(2026, 9, 1)


@pytest.mark.parametrize("mode", SIMULATED)
def test_parse_order_reads_mode_vehicle_and_day(mode: FailureMode) -> None:
    assert parse_order(f"{mode}:car-0003:10.5") == FaultOrder(mode, "car-0003", 10.5)


def test_parse_order_lists_the_modes_when_there_is_no_such_mode() -> None:
    with pytest.raises(FaultError) as caught:
        parse_order("flat_battery:car-0001:3")
    assert all(mode in str(caught.value) for mode in SIMULATED)


def test_a_mode_that_cannot_be_simulated_yet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.faults.SIMULATED", (FailureMode.TYRE_SLOW_LEAK,))
    with pytest.raises(FaultError, match="lv_battery_ageing cannot be simulated yet; the modes are tyre_slow_leak"):
        parse_order("lv_battery_ageing:car-0001:3")
    with pytest.raises(FaultError, match="lv_battery_ageing: cannot be simulated yet"):
        build_fleet(3, 5, 1, START, [FaultOrder(FailureMode.LV_BATTERY_AGEING, "car-0001", 1.0)])


@pytest.mark.parametrize(
    "text", ["tyre_slow_leak", "tyre_slow_leak:car-0001", "tyre_slow_leak:car-0001:x", "tyre_slow_leak::3"]
)
def test_parse_order_says_what_an_order_looks_like(text: str) -> None:
    with pytest.raises(FaultError, match="MODE:VEHICLE:DAY"):
        parse_order(text)


def test_build_fleet_names_every_wrong_order_at_once() -> None:
    orders = [
        FaultOrder(FailureMode.TYRE_SLOW_LEAK, "car-0009", 1.0),
        FaultOrder(FailureMode.TYRE_SLOW_LEAK, "car-0001", 1.0),
        FaultOrder(FailureMode.TYRE_SLOW_LEAK, "car-0001", 2.0),
    ]
    with pytest.raises(FaultError) as caught:
        build_fleet(3, 5, 1, START, orders)
    assert "car-0009" in str(caught.value)
    assert "twice" in str(caught.value)


@pytest.mark.parametrize("mode", FAULT_MODES)
def test_severity_is_nothing_before_the_onset_and_never_falls(mode: FailureMode) -> None:
    fault = build_fault(7, 0, MODELS[0], FaultOrder(mode, "car-0001", 4.0))
    days = np.linspace(0.0, 200.0, 2001)
    severity = fault.severity(days * 86400.0)
    assert (severity[days <= 4.0] == 0.0).all()
    assert (np.diff(severity) >= 0.0).all()
    assert severity[-1] == WORST


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("mode", FAULT_MODES)
def test_a_fault_strikes_every_one_of_the_like_parts_that_the_car_has(mode: FailureMode, model: CarModel) -> None:
    order = FaultOrder(mode, "car-0001", 4.0)
    faults = [build_fault(7, number, model, order) for number in range(2000)]
    struck = {(fault.location, fault.location_name) for fault in faults}
    parts = {
        "none": [(0, "")],
        "wheel": list(enumerate(WHEELS)),
        "cell_group": [(number, f"V_{number + 1}") for number in range(model.cell_count)],
        "axle": [("fr".index(motor), motor) for motor in model.motors],
        "phase": [(0, "L1"), (1, "L2"), (2, "L3")],
        "module": [(number, f"M_{number + 1}") for number in range(model.module_count)],
    }
    assert struck == set(parts[FAULT_MODES[mode].like_parts])


def test_durations_scatter_between_cars() -> None:
    order = FaultOrder(FailureMode.TYRE_SLOW_LEAK, "car-0001", 4.0)
    durations = {build_fault(7, number, MODELS[0], order).duration_days for number in range(20)}
    assert len(durations) == 20


def test_default_faults_are_one_of_each_on_different_sound_cars() -> None:
    truth = build_fleet(24, 42, 5, START).truth
    assert {fault.failure_mode for fault in truth.faults} == set(STORY)
    cars = {fault.vehicle_id for fault in truth.faults}
    assert len(cars) == len(STORY)
    odd = {one.vehicle_id for one in truth.confounders if one.confounder != "cold_snap"}
    assert not cars & odd
    assert {one.confounder for one in truth.confounders} == {
        "cold_snap",
        "noisy_tyre_sensor",
        "noisy_lv_sensor",
        "isolation_dropouts",
        "long_parking",
    }
