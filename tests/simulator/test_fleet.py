"""What holds for every fleet, whatever its seed: ranges, counters, balances, and the same bytes again."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.confounders import Variety
from simulator.fault_modes import FAULT_MODES
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.profile import DENSE
from vehicle.batch import EventKind
from vehicle.identity import Vin
from vehicle.signals import CATALOGUE, SignalKind

START = date(2026, 9, 1)
seeds = st.integers(0, 2**63)
starts = st.dates(date(2024, 1, 1), date(2027, 12, 31))
Lives = Callable[[Fleet], dict[str, Any]]


def content(fleet: Fleet, index: int) -> dict[str, Any]:
    return {
        vehicle_id: (
            samples.times.tobytes(),
            {name: values.tobytes() for name, values in samples.columns.items()},
            samples.events,
        )
        for vehicle_id, samples in fleet.day(index)
    }


@settings(max_examples=12)
@given(seeds, starts)
def test_samples_lie_in_their_day_and_in_the_catalogue(seed: int, start: date) -> None:
    fleet = build_fleet(7, 3, seed, start)
    for index in range(3):
        midnight = np.datetime64(start + timedelta(days=index), "us")
        for _, samples in fleet.day(index):
            assert samples.times.dtype == np.dtype("datetime64[us]")
            assert (np.diff(samples.times) > np.timedelta64(0)).all()
            assert midnight <= samples.times[0]
            assert samples.times[-1] < midnight + np.timedelta64(1, "D")
            for name, values in samples.columns.items():
                signal = CATALOGUE[name]
                top = len(signal.values) - 1 if signal.kind is SignalKind.ENUMERATION else signal.maximum
                sampled = values[~np.isnan(values)]
                assert len(values) == len(samples.times)
                assert sampled.size, name
                assert sampled.min() >= signal.minimum, name
                assert sampled.max() <= top, name


@settings(max_examples=8)
@given(seeds)
def test_counters_never_go_back_and_charge_is_what_the_current_brought(lives: Lives, seed: int) -> None:
    fleet = build_fleet(6, 6, seed, START, faults=[])
    nominal = {vehicle.vehicle_id: vehicle.record.nominal_voltage_v or 0.0 for vehicle in fleet.vehicles}
    for vehicle_id, (times, columns, _) in lives(fleet).items():
        for name in ("odometer_km", "energy_used_lifetime_kwh"):
            counted = columns[name][~np.isnan(columns[name])]
            assert (np.diff(counted) >= 0.0).all()
        seconds = np.diff(times) / np.timedelta64(1, "s")
        known = ~np.isnan(columns["hv_soc_pct"])
        charge = columns["hv_soc_pct"][known] / 100.0
        energy = columns["hv_energy_remaining_kwh"][known]
        capacity_ah = np.median(energy / charge) * 1000.0 / nominal[vehicle_id]
        brought = np.append(0.0, np.nan_to_num(columns["hv_current_a"][1:]) * seconds).cumsum()[known] / 3600.0
        balance = (charge - charge[0]) - (brought - brought[0]) / capacity_ah
        assert np.abs(balance).max() < 0.015


@settings(max_examples=6)
@given(seeds)
def test_same_seed_same_bytes_and_any_car_alone(seed: int) -> None:
    fleet, again = build_fleet(5, 4, seed, START), build_fleet(5, 4, seed, START)
    alone = {vehicle.vehicle_id: fleet.alone(vehicle.vehicle_id) for vehicle in fleet.vehicles}
    for index in range(4):
        whole = content(fleet, index)
        assert whole == content(again, index)
        for vehicle_id, single in alone.items():
            assert content(single, index) == {vehicle_id: whole[vehicle_id]}


def test_other_seeds_give_other_fleets() -> None:
    assert content(build_fleet(1, 1, 1, START), 0) != content(build_fleet(1, 1, 2, START), 0)


def test_day_can_be_taken_out_of_order_and_left_halfway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.fleet.CARS_TOGETHER", 3)
    fleet = build_fleet(5, 3, 8, START, faults=[])
    expected = [content(fleet, index) for index in range(3)]
    next(fleet.day(0))
    assert content(fleet, 2) == expected[2]
    assert content(fleet, 0) == expected[0]
    assert content(fleet, 1) == expected[1]


def test_day_refuses_days_the_fleet_does_not_have() -> None:
    fleet = build_fleet(1, 2, 1, START)
    with pytest.raises(IndexError, match="2 days"):
        fleet.day(2)
    with pytest.raises(IndexError):
        fleet.day(-1)


@pytest.mark.parametrize(("vehicles", "days"), [(0, 1), (1, 0), (-1, 3)])
def test_build_fleet_refuses_empty_fleets(vehicles: int, days: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        build_fleet(vehicles, days, 1, START)


def test_a_car_with_any_mode_is_the_same_alone() -> None:
    orders = [FaultOrder(mode, f"car-{1 + number:04d}", 0.5) for number, mode in enumerate(FAULT_MODES)]
    fleet = build_fleet(len(orders), 3, 9, START, orders, workshop=True, confounders=Variety.ALL)
    whole = [dict(fleet.day(index)) for index in range(fleet.days)]
    for vehicle in fleet.vehicles:
        alone = fleet.alone(vehicle.vehicle_id)
        for index, day in enumerate(whole):
            for vehicle_id, samples in alone.day(index):
                other = day[vehicle_id]
                assert samples.times.tobytes() == other.times.tobytes()
                assert samples.events == other.events
                assert samples.columns.keys() == other.columns.keys()
                for name, values in samples.columns.items():
                    assert values.tobytes() == other.columns[name].tobytes(), name


def test_alone_knows_its_cars() -> None:
    with pytest.raises(KeyError):
        build_fleet(2, 2, 1, START).alone("car-0003")


def test_records_describe_at_least_three_models_of_both_chemistries() -> None:
    records = [vehicle.record for vehicle in build_fleet(24, 1, 1, START).vehicles]
    assert len({record.model for record in records}) >= 3
    assert {record.chemistry for record in records} == {"NMC", "LFP"}
    assert len({record.lv_chemistry for record in records}) == 2
    assert len({record.tyre_reference_kpa for record in records}) >= 3
    assert len({record.cell_count for record in records}) >= 3
    assert {record.place for record in records} == {"north", "south"}
    assert len({record.vin for record in records}) == 24
    assert all(isinstance(Vin.parse(record.vin or ""), Vin) for record in records)
    assert [record.vehicle_id for record in records[:2]] == ["car-0001", "car-0002"]


def test_truth_does_not_depend_on_the_days_that_were_taken() -> None:
    fleet, untouched = build_fleet(8, 12, 2, START), build_fleet(8, 12, 2, START)
    for index in (0, 5, 3):
        list(fleet.day(index))
    assert fleet.truth == untouched.truth
    whole = build_fleet(6, 20, 4, START, incidence=2000.0, workshop=True)
    for index in range(whole.days):
        list(whole.day(index))
    assert whole.truth == build_fleet(6, 20, 4, START, incidence=2000.0, workshop=True).truth
    assert whole.truth.faults


def test_demo_fleet_has_the_volume_it_is_budgeted_for(lives: Lives) -> None:
    fleet = build_fleet(24, 7, 1, START)
    samples = sum(len(times) for times, _, _ in lives(fleet).values()) / 24 / 7
    assert 200 < samples < 350


def test_dense_profile_samples_every_second_of_a_drive(lives: Lives) -> None:
    times, columns, _ = lives(build_fleet(1, 1, 5, START, profile=DENSE))["car-0001"]
    moving = columns["speed_kmh"] > 5.0
    assert moving.any()
    gaps = np.diff(times)[moving[1:] & moving[:-1]] / np.timedelta64(1, "s")
    assert np.median(gaps) == pytest.approx(1.0, abs=0.2)


def test_a_complete_charge_ends_at_a_round_state_of_charge(lives: Lives) -> None:
    complete = 0
    for times, columns, events in lives(build_fleet(12, 5, 3, START, faults=[])).values():
        for event in events:
            if event.details.get("reason") == "complete":
                row = np.searchsorted(times, np.datetime64(event.at.replace(tzinfo=None)), side="right")
                charge = columns["hv_soc_pct"][row]
                complete += 1
                assert min(abs(charge - target) for target in (80.0, 90.0, 100.0)) < 0.5
    assert complete > 10


def test_events_tell_drives_and_charges_in_order(lives: Lives) -> None:
    for _, columns, events in lives(build_fleet(6, 7, 4, START, faults=[])).values():
        assert [event.at for event in events] == sorted(event.at for event in events)
        drives = [event for event in events if event.kind in {EventKind.DRIVE_START, EventKind.DRIVE_STOP}]
        assert [event.kind for event in drives] == [EventKind.DRIVE_START, EventKind.DRIVE_STOP] * (len(drives) // 2)
        km = sum(event.details["distance_km"] for event in drives[1::2])
        odometer = columns["odometer_km"][~np.isnan(columns["odometer_km"])]
        assert km == pytest.approx(odometer[-1] - odometer[0], abs=0.5)
        assert not any(event.kind is EventKind.TROUBLE_CODE for event in events)
