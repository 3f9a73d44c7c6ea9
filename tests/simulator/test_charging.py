"""Faults of charger, home and charge port: what each does to a charge, and that it is not what the others do."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.car import build_car
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.owner import HomeCharger
from vehicle.batch import EventKind
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE

START = date(2026, 10, 1)
DAYS = 40
PHASE, WIRING, LATCH = (
    FailureMode.CHARGER_PHASE_LOST,
    FailureMode.HOME_WIRING_FAULT,
    FailureMode.CHARGE_PORT_LATCH,
)
MODES = (PHASE, WIRING, LATCH)
Columns = dict[str, Any]


@pytest.fixture(scope="module", params=[1, 2, 3])
def pairs(request: pytest.FixtureRequest, twins: Callable[[Sequence[FailureMode], int, int, date], Any]) -> Any:
    return twins(MODES, request.param, DAYS, START)


def moment(at: Any) -> Any:
    return np.datetime64(at.replace(tzinfo=None))


def until(pair: Any, end: Any) -> Columns:
    """The struck car's samples from the onset to this time."""
    times, columns, _ = pair.struck
    rows = (times >= moment(pair.fault.onset_at)) & (times <= moment(end))
    return {name: values[rows] for name, values in columns.items()}


def at_home(columns: Columns) -> Any:
    """Rows of charging at home at full current; a sound charger has taken up the one it asks for."""
    return (columns["charge_phases"] > 0.0) & (columns["charge_current_a"] > 0.0)


def home_kw(columns: Columns) -> Any:
    rows = at_home(columns) & (columns["hv_soc_pct"] < 75.0)
    power = columns["charge_phases"] * columns["charge_current_a"] * columns["charge_voltage_v"]
    return power[rows] / 1000.0


@pytest.mark.parametrize("mode", MODES)
def test_nothing_before_the_onset_then_visible_then_failed_in_time(pairs: Any, mode: FailureMode) -> None:
    pairs[mode].check_onset()
    pairs[mode].check_failure()


def test_a_lost_phase_takes_a_third_of_the_power_and_a_second_another(pairs: Any) -> None:
    pair = pairs[PHASE]
    normal = np.median(home_kw(pair.healthy[1]))
    first = home_kw(until(pair, pair.fault.failed_at))[:-1]
    assert np.median(first) / normal == pytest.approx(2.0 / 3.0, abs=0.02)
    times, columns, _ = pair.struck
    later = {name: values[times > moment(pair.fault.failed_at)] for name, values in columns.items()}
    assert np.median(home_kw(later)) / normal == pytest.approx(1.0 / 3.0, abs=0.02)


def test_bad_wiring_drops_the_voltage_with_the_current_until_the_car_asks_for_less(pairs: Any) -> None:
    pair = pairs[WIRING]
    sound = pair.healthy[1]
    seen = until(pair, pair.fault.failed_at)
    assert sound["charge_voltage_v"][at_home(sound)].min() > 220.0
    noise_v = np.std(sound["charge_voltage_v"][at_home(sound) & (sound["hv_soc_pct"] < 75.0)])
    assert seen["charge_voltage_v"][at_home(seen)].min() < sound["charge_voltage_v"][at_home(sound)].min() - 3 * noise_v
    times, columns, _ = pair.struck
    after = (times > moment(pair.fault.failed_at)) & at_home(columns)
    assert columns["charge_current_request_a"][after].min() <= 0.76 * np.nanmax(sound["charge_current_request_a"])
    assert columns["charge_inlet_temp_c"][after].max() < 60.0


def test_a_latch_that_does_not_hold_stops_and_starts_the_charge_when_wet(pairs: Any) -> None:
    pair = pairs[LATCH]
    states, latches = CATALOGUE["charge_state"].values, CATALOGUE["charge_port_latch"].values
    seen = until(pair, pair.fault.failed_at)
    waits = seen["charge_state"] == states.index("Starting")
    assert waits.any()
    state = pair.struck[1]["charge_state"]
    assert ((state[:-1] == states.index("Starting")) & (state[1:] == states.index("Charging"))).sum() >= 2
    assert (seen["charge_port_latch"][waits] == latches.index("Disengaged")).all()
    assert (seen["charge_current_a"][waits] < 0.5).all()
    charging = pair.healthy[1]["charge_state"] == states.index("Charging")
    assert (pair.healthy[1]["charge_port_latch"][charging] == latches.index("Engaged")).all()
    stops = [event.details["reason"] for event in pair.struck[2] if event.kind is EventKind.CHARGE_STOP]
    assert "latch not engaged" in stops


def test_charging_with_direct_current_knows_nothing_of_phases_and_walls(lives: Callable[[Fleet], Any]) -> None:
    seed, vehicles, days = 5, 12, 12
    sound = lives(build_fleet(vehicles, days, seed, START, faults=[]))
    orders = [FaultOrder(mode, vehicle_id, -9.0) for vehicle_id in sound for mode in (PHASE, WIRING)]
    struck = lives(build_fleet(vehicles, days, seed, START, faults=orders))
    compared = 0
    for vehicle_id, (times, columns, _) in sound.items():
        direct = columns["charge_phases"] == 0.0
        if direct.any() and not (columns["charge_phases"] > 0.0).any():
            other_times, others, _ = struck[vehicle_id]
            assert (times == other_times).all()
            for name in ("charge_current_a", "charge_voltage_v", "hv_current_a"):
                assert columns[name].tobytes() == others[name].tobytes(), name
            compared += 1
    assert compared


def test_bad_wiring_shows_at_home_and_not_at_the_post_at_work(lives: Callable[[Fleet], Any]) -> None:
    seed, home, by_day = 1, 1.0, 2.0
    drawn = [build_car(seed, number, 21, ()) for number in range(60)]
    both = [car for car in drawn if car.owner.plugs_away and car.owner.charger is HomeCharger.THREE_PHASE][:6]
    struck = [build_car(seed, car.number, 21, (FaultOrder(WIRING, car.vehicle_id, -14.0),)) for car in both]
    lowest: dict[float, list[float]] = {home: [], by_day: []}
    for _, columns, _ in lives(Fleet(struck, 21, seed, START)).values():
        loaded = (columns["charge_phases"] > 0.0) & (columns["charge_current_a"] > 8.0)
        assert set(columns["place_id"][loaded]) <= set(lowest)
        for place in lowest:
            lowest[place] += columns["charge_voltage_v"][loaded & (columns["place_id"] == place)].tolist()
    assert min(lowest[home]) < 207.0
    assert min(lowest[by_day]) > 220.0
    assert len(lowest[by_day]) > 100
