"""Nothing comes from nowhere in any fleet: charge, energy, counters and ranges, sound and with faults."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.car import build_car
from simulator.consumption import AWAKE_W, DRIVE_EFFICIENCY, REGEN_EFFICIENCY
from simulator.day import Day, Phase
from simulator.driving import MOST_W, REGEN_MOST_W
from simulator.fault_modes import SIMULATED
from simulator.faults import WHEELS, FaultOrder, build_fault
from simulator.fleet import build_fleet
from vehicle.signals import CATALOGUE, SignalKind

START = date(2026, 9, 1)
DAYS = 4
CARS = len(SIMULATED)
COUNTERS = (
    "odometer_km",
    "energy_used_lifetime_kwh",
    "contactor_cycles",
    "contactor_opened_under_load",
    "precharge_retries",
    "parking_brake_retries",
    *(f"brake_pad_wear_{wheel}_pct" for wheel in WHEELS),
)
ROUNDING = 1e-9
"""Sums by doubling (`simulator/recurrence.py`) are exact but for a double's last places."""
seeds = st.integers(0, 2**63)


def orders(seed: int) -> list[FaultOrder]:
    """Every mode in a car of its own, fully grown in the middle of the days."""
    found = []
    for number, mode in enumerate(SIMULATED):
        car = build_car(seed, number, DAYS, ())
        draft = build_fault(seed, car.number, car.model, FaultOrder(mode, car.vehicle_id, 0.0))
        found.append(FaultOrder(mode, car.vehicle_id, DAYS / 2.0 - draft.duration_days))
    return found


def live(seed: int, faults: Sequence[FaultOrder]) -> list[Day]:
    """The true days of a fleet that is small enough to be simulated together."""
    (convoy,) = build_fleet(CARS, DAYS, seed, START, faults)._convoys
    return [convoy.live()[0] for _ in range(DAYS)]


@settings(max_examples=6)
@given(seeds)
def test_charge_is_what_the_current_brought(seed: int) -> None:
    for day in live(seed, []):
        for number, car in enumerate(day.cars.cars):
            rows = day.rows(number)
            current, charge = day.columns["hv_current_a"][rows], day.columns["hv_soc_pct"][rows] / 100.0
            brought = np.cumsum(current * day.dt_s[rows]) / 3600.0 / car.capacity_ah
            assert 0.0 < charge.min() <= charge.max() <= 1.0
            assert np.abs((charge - charge[0]) - (brought - brought[0])).max() < 1e-9


@settings(max_examples=6)
@given(seeds)
def test_energy_out_of_the_battery_is_power_over_time_and_more_than_the_charge_it_takes(seed: int) -> None:
    for day in live(seed, orders(seed)):
        power_w = 1000.0 * day.columns["hv_power_kw"]
        assert np.allclose(power_w, day.columns["hv_voltage_v"] * day.columns["hv_current_a"])
        for number in range(len(day.cars)):
            rows = day.rows(number)
            used = day.columns["energy_used_lifetime_kwh"][rows]
            out = np.cumsum(np.maximum(-power_w[rows], 0.0) * day.dt_s[rows]) / 3.6e6
            assert np.abs((used - used[0]) - (out - out[0])).max() < 1e-6
            groups_mv = day.cells[number].millivolts(np.arange(rows.stop - rows.start))
            assert np.allclose(groups_mv.sum(axis=1) / 1000.0, day.columns["hv_voltage_v"][rows])


@settings(max_examples=4)
@given(seed=seeds, struck=st.booleans())
def test_the_battery_pays_for_what_moves_heats_and_runs_the_car(*, seed: int, struck: bool) -> None:
    (convoy,) = build_fleet(CARS, DAYS, seed, date(2026, 1, 10), orders(seed) if struck else [])._convoys
    for _ in range(DAYS):
        rest_v = convoy._battery.volts()
        day, _ = convoy.live()
        driving = day.during(Phase.DRIVING)
        wheel_w = day.columns["wheel_w"][driving]
        drawn_w = np.where(wheel_w > 0.0, wheel_w / DRIVE_EFFICIENCY, wheel_w * REGEN_EFFICIENCY)
        drawn_w = np.clip(drawn_w, REGEN_MOST_W, MOST_W) + AWAKE_W
        drawn_w += 1000.0 * day.columns["ac_compressor_power_kw"][driving]
        paid_w = -day.columns["hv_current_a"] * rest_v[day.car]
        assert np.allclose(paid_w[driving], drawn_w, rtol=1e-9, atol=1e-6)
        assert driving.any()


@settings(max_examples=6)
@given(seed=seeds, struck=st.booleans())
def test_counters_never_go_back_and_days_follow_on(*, seed: int, struck: bool) -> None:
    before: dict[str, Any] = {}
    for day in live(seed, orders(seed) if struck else []):
        for name in COUNTERS:
            for number in range(len(day.cars)):
                counted = day.columns[name][day.rows(number)]
                if name in before:
                    assert counted[0] >= before[name][number] - ROUNDING
                assert (np.diff(counted) >= -ROUNDING).all(), name
            before[name] = day.columns[name][day.last]


@settings(max_examples=6)
@given(seed=seeds, struck=st.booleans())
def test_every_signal_lies_in_its_catalogue_range(*, seed: int, struck: bool) -> None:
    fleet = build_fleet(CARS, DAYS, seed, START, orders(seed) if struck else [])
    for index in range(DAYS):
        for _, samples in fleet.day(index):
            for name, values in samples.columns.items():
                signal = CATALOGUE[name]
                top = len(signal.values) - 1 if signal.kind is SignalKind.ENUMERATION else signal.maximum
                sampled = values[~np.isnan(values)]
                assert sampled.min() >= signal.minimum, name
                assert sampled.max() <= top, name
