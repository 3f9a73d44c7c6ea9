"""The refrigerant circuit: what a worn compressor and a leak do to power, pressures and the cabin."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.refrigerant import LOCKED, POWER_SHARE, PRESSURE_SHARE, saturated_kpa
from vehicle.failure import FailureMode

COMPRESSOR, LEAK = FailureMode.AC_COMPRESSOR_DEGRADING, FailureMode.REFRIGERANT_LEAK
MODES = (COMPRESSOR, LEAK)


@pytest.fixture(scope="module", params=[(1, date(2026, 9, 1)), (2, date(2026, 5, 20)), (3, date(2026, 12, 1))], ids=str)
def pairs(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    seed, start = request.param
    return twins(MODES, seed, 80, start)


def running(pair: Any) -> Any:
    """Rows before the failure at which a sound circuit works."""
    return pair.before_failure("ac_compressor_power_kw")[1] > 0.0


@pytest.mark.parametrize("mode", MODES)
def test_equal_until_the_onset_then_visible_then_failed_in_time(pairs: Any, mode: FailureMode) -> None:
    pairs[mode].check_onset()
    pairs[mode].check_failure()


def test_a_worn_compressor_takes_more_power_for_the_same_heat(pairs: Any) -> None:
    own, twin = pairs[COMPRESSOR].before_failure("ac_compressor_power_kw")
    at = running(pairs[COMPRESSOR])
    more = own[at] / np.maximum(twin[at], 0.05)
    assert np.quantile(more, 0.95) > 1.0 + 3.0 * POWER_SHARE
    low, sound = pairs[COMPRESSOR].before_failure("refrigerant_low_kpa")
    assert (low[at] >= sound[at] * (1.0 - 6.0 * PRESSURE_SHARE)).all()
    assert np.mean(low[at] / sound[at]) > 1.0


def test_a_leak_lowers_the_low_side_until_the_compressor_is_locked(pairs: Any) -> None:
    pair = pairs[LEAK]
    at = running(pair)
    low, sound = pair.before_failure("refrigerant_low_kpa")
    share = low[at] / sound[at]
    assert share.min() < 1.0 - 3.0 * PRESSURE_SHARE
    assert share.min() > 0.9 * LOCKED
    times, columns, _ = pair.struck
    after = times >= np.datetime64(pair.fault.failed_at.replace(tzinfo=None))
    cold = after & (columns["hvac_on"] == 1.0) & (columns["speed_kmh"] > 0.0)
    assert np.median(columns["ac_compressor_power_kw"][cold]) == 0.0


@pytest.mark.parametrize("mode", MODES)
def test_the_cabin_waits_for_its_comfort_when_it_needs_much(pairs: Any, mode: FailureMode) -> None:
    own, twin = pairs[mode].rows_together
    cabin, sound = pairs[mode].struck[1]["cabin_temp_c"][own], pairs[mode].healthy[1]["cabin_temp_c"][twin]
    away = np.abs(cabin - 21.0) - np.abs(sound - 21.0)
    assert np.nanmax(away) > 2.0
    assert np.nanmin(away) > -1.0


def test_pressures_are_those_of_the_refrigerants_tables() -> None:
    for temp_c, kpa in ((0.0, 316.0), (20.0, 592.0), (40.0, 1018.0), (60.0, 1642.0)):
        assert saturated_kpa(np.array([temp_c]))[0] == pytest.approx(kpa, rel=0.02)


def test_a_sound_circuit_lifts_pressure_while_it_works_and_only_then(pairs: Any) -> None:
    for pair in pairs.values():
        _, columns, _ = pair.healthy
        power = columns["ac_compressor_power_kw"]
        lift = columns["refrigerant_high_kpa"] - columns["refrigerant_low_kpa"]
        works = columns["hvac_on"] == 1.0
        assert works[power > 0.0].all()
        assert np.nanmin(lift[works]) > 100.0
        assert np.nanmax(np.abs(lift[~works])) < 120.0
        assert np.nanmax(power) < 4.5
