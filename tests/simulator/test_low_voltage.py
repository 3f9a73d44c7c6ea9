"""The low-voltage system: drains that keep the car up, and a converter that leaves the battery alone."""

from collections.abc import Callable
from datetime import UTC, date
from typing import Any

import numpy as np
import pytest

from simulator import dcdc
from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.low_voltage_battery import CELLS, KNEE
from vehicle.failure import FailureMode

START = date(2026, 9, 1)
DAYS = 16
MODES = (FailureMode.LV_PARASITIC_DRAIN, FailureMode.DCDC_SUPPORT_LOSS)


@pytest.fixture(scope="module", params=[1, 2, 3])
def pairs(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins(MODES, request.param, DAYS, START)


def until(life: Any, at: Any) -> tuple[Any, Any]:
    """Times and columns of a life before a time."""
    times, columns, _ = life
    rows = int((times < np.datetime64(at.astimezone(UTC).replace(tzinfo=None))).sum())
    return times[:rows], {name: values[:rows] for name, values in columns.items()}


def lost_pct_day(times: Any, columns: Any) -> float:
    """Traction charge lost per day that the car stood between two uses, whatever it did then; short rests do not count,
    because a car is awake for some minutes after every use."""
    known = np.flatnonzero(np.isfinite(columns["hv_soc_pct"]))
    used = (columns["speed_kmh"][known] > 0.0) | (columns["charge_current_a"][known] > 0.0)
    charge, seconds = columns["hv_soc_pct"][known], (times[known] - times[0]) / np.timedelta64(1, "s")
    rests = np.split(np.flatnonzero(~used), np.flatnonzero(np.diff(np.flatnonzero(~used)) > 1) + 1)
    spans = [(rest[0], rest[-1]) for rest in rests if len(rest) and seconds[rest[-1]] - seconds[rest[0]] > 10800.0]
    lost = sum(charge[first] - charge[last] for first, last in spans)
    stood = sum(seconds[last] - seconds[first] for first, last in spans)
    return float(lost / stood * 86400.0)


@pytest.mark.parametrize("mode", MODES)
def test_twins_are_equal_until_the_onset_and_the_failure_comes_in_time(pairs: Any, mode: FailureMode) -> None:
    pairs[mode].check_onset()
    pairs[mode].check_failure()


def test_a_drained_car_loses_charge_parked_and_its_battery_is_good(pairs: Any) -> None:
    pair = pairs[FailureMode.LV_PARASITIC_DRAIN]
    times, columns, _ = pair.struck
    late = times >= np.datetime64(pair.fault.failed_at.replace(tzinfo=None))
    assert lost_pct_day(times[late], {name: values[late] for name, values in columns.items()}) > 1.5
    assert lost_pct_day(*pair.healthy[:2]) < 1.0
    resting = (columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -5.0)
    assert np.nanmin(columns["lv_voltage_v"][resting]) > 11.8


def test_a_drain_shows_in_the_sleep_current_or_in_the_sleep_before_the_failure(pairs: Any) -> None:
    pair = pairs[FailureMode.LV_PARASITIC_DRAIN]
    asleep_a, up = [], []
    for life in (pair.struck, pair.healthy):
        times, columns = until(life, pair.fault.failed_at)
        late = times > np.datetime64(pair.fault.first_visible_at.replace(tzinfo=None))
        asleep = late & (columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -25.0)
        asleep_a.append(float(np.median(columns["lv_current_a"][asleep])))
        seconds = np.diff(times, prepend=times[:1]) / np.timedelta64(1, "s")
        parked = late & (columns["dcdc_enabled"] == 1.0) & ~(columns["speed_kmh"] > 0.0)
        parked &= ~(columns["charge_current_a"] > 0.0)
        up.append(float(seconds[parked].sum() / seconds[late].sum()))
    assert asleep_a[0] < asleep_a[1] - 0.3 or up[0] > up[1] + 0.1


def test_both_kinds_of_drain_come_and_each_keeps_to_itself(lives: Callable[[Fleet], Any]) -> None:
    orders = [FaultOrder(FailureMode.LV_PARASITIC_DRAIN, f"car-000{number}", 1.0) for number in range(1, 9)]
    lowest = []
    for _, columns, _ in lives(build_fleet(8, 6, 3, START, orders)).values():
        asleep = (columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -25.0)
        lowest.append(float(columns["lv_current_a"][asleep].min()))
    drawing = np.array(lowest) < -0.5
    assert drawing.any()
    assert not drawing.all()
    assert (np.array(lowest)[~drawing] > -0.1).all()


def test_a_drained_car_that_nobody_drives_keeps_a_reserve_and_goes_flat(lives: Callable[[Fleet], Any]) -> None:
    orders = [FaultOrder(FailureMode.LV_PARASITIC_DRAIN, "car-0002", -20.0)]
    fleet = build_fleet(2, 60, 1, START, orders)
    _, columns, _ = lives(fleet)["car-0002"]
    assert {one.confounder for one in fleet.truth.confounders if one.vehicle_id == "car-0002"} >= {"long_parking"}
    assert np.nanmin(columns["hv_soc_pct"]) > 0.0
    assert np.nanmin(columns["lv_voltage_v"]) < 11.0


def test_a_failing_converter_is_hot_and_then_below_13_v_while_enabled(pairs: Any) -> None:
    pair = pairs[FailureMode.DCDC_SUPPORT_LOSS]
    times, columns = until(pair.struck, pair.fault.failed_at)
    enabled = columns["dcdc_enabled"] == 1.0
    low = np.flatnonzero(enabled & (columns["lv_voltage_v"] < 13.0))
    rise = columns["dcdc_temp_c"] - columns["ambient_temp_c"]
    hot = np.flatnonzero(rise > np.nanmax(pair.healthy[1]["dcdc_temp_c"] - pair.healthy[1]["ambient_temp_c"]) + 5.0)
    assert len(low) > 0
    assert hot[0] < low[0]
    twin = pair.healthy[1]
    assert twin["lv_voltage_v"][twin["dcdc_enabled"] == 1.0].min() > 13.0
    assert len(pair.struck[0]) - len(times) <= 1  # flat: it says nothing any more
    codes = {event.trouble_code.code for event in pair.struck[2] if event.trouble_code}
    assert "P0A94" in codes


def test_the_battery_pays_what_the_converter_does_not_give(pairs: Any) -> None:
    _, columns = until(
        pairs[FailureMode.DCDC_SUPPORT_LOSS].struck, pairs[FailureMode.DCDC_SUPPORT_LOSS].fault.failed_at
    )
    enabled = columns["dcdc_enabled"] == 1.0
    assert columns["lv_current_a"][enabled].min() < -5.0
    assert columns["lv_current_a"][enabled].min() > -dcdc.LOAD_A - 1.0


def test_converters_give_less_the_warmer_and_the_worse() -> None:
    ambient, severity = np.meshgrid(np.linspace(-30.0, 45.0, 16), np.linspace(0.0, 2.5, 26))
    given = dcdc.support(ambient, severity)
    assert (given.share[0] == 1.0).all()
    assert (given.lacking_a[0] == 0.0).all()
    for axis in (0, 1):
        assert (np.diff(given.share, axis=axis) <= 0.0).all()
        assert (np.diff(given.lacking_a, axis=axis) >= 0.0).all()
    assert (given.share[given.lacking_a > 0.0] == 0.0).all()


def test_sound_batteries_never_come_near_the_knee(lives: Callable[[Fleet], Any]) -> None:
    for _, columns, _ in lives(build_fleet(11, 30, 5, START, [])).values():
        resting = (columns["dcdc_enabled"] == 0.0) & (columns["lv_current_a"] > -1.0)
        straight = min(cell.full_v - cell.slope_v * KNEE for cell in CELLS.values())
        assert np.nanquantile(columns["lv_voltage_v"][resting], 0.05) > straight
