"""Contactors and interlock: what is counted, and what loose plugs and worn contacts do before they strand a car."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.contactors import MOST_RETRIES
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE

INTERLOCK, WEAR = FailureMode.HVIL_INTERMITTENT, FailureMode.CONTACTOR_WEAR
COUNTERS = ("contactor_cycles", "contactor_opened_under_load", "precharge_retries")
STATES = CATALOGUE["bms_state"].values


@pytest.fixture(scope="module", params=[2, 7, 9])
def pairs(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins((INTERLOCK, WEAR), request.param, 50, date(2026, 9, 1))


def sampled(columns: Any, name: str) -> Any:
    return columns[name][np.isfinite(columns[name])]


def states(columns: Any) -> set[str]:
    return {STATES[int(one)] for one in sampled(columns, "bms_state")}


@pytest.mark.parametrize("mode", [INTERLOCK, WEAR])
def test_equal_until_the_onset_then_visible_then_failed_in_time(pairs: Any, mode: FailureMode) -> None:
    pairs[mode].check_onset()
    pairs[mode].check_failure()


def test_a_loose_connector_opens_the_loop_on_the_move_only(pairs: Any) -> None:
    own, twin = pairs[INTERLOCK].before_failure("hvil_ok")
    open_loop = own == 0.0
    assert open_loop.sum() >= 2
    assert (twin[np.isfinite(twin)] == 1.0).all()
    speed = pairs[INTERLOCK].struck[1]["speed_kmh"][: len(own)]
    distance = np.diff(pairs[INTERLOCK].struck[1]["odometer_km"][: len(own)], prepend=np.nan)
    assert (distance[open_loop][np.isfinite(distance[open_loop])] > 0.0).all()
    assert np.nanmean(speed[open_loop]) > np.nanmean(speed[own == 1.0])


def test_an_open_loop_opens_the_contactors_under_load(pairs: Any) -> None:
    pair = pairs[INTERLOCK]
    assert sampled(pair.struck[1], "contactor_opened_under_load")[-1] == 1.0
    assert "Fault" in states(pair.struck[1])
    assert sampled(pair.healthy[1], "contactor_opened_under_load")[-1] == 0.0
    assert np.nanmax(pair.raised("contactor_opened_under_load")) == 0.0


def test_worn_contacts_need_more_precharges_and_open_under_load_until_they_weld(pairs: Any) -> None:
    pair = pairs[WEAR]
    retries, opened = pair.raised("precharge_retries"), pair.raised("contactor_opened_under_load")
    assert retries.max() > 5.0
    assert opened.max() >= 2.0
    half = len(retries) // 2
    assert retries[-1] - retries[half] > retries[half]
    assert "Weld" in states(pair.struck[1])
    before, _ = pair.before_failure("bms_state")
    assert not (before == STATES.index("Weld")).any()


def test_counters_only_count_up_and_a_sound_car_only_counts_closings(pairs: Any) -> None:
    for pair in pairs.values():
        for life in (pair.struck, pair.healthy):
            for name in COUNTERS:
                steps = np.diff(sampled(life[1], name))
                assert (steps >= 0.0).all()
                assert (steps == np.round(steps)).all()
        sound = pair.healthy[1]
        assert np.diff(sampled(sound, "contactor_cycles")).max() == 1.0
        assert not sampled(sound, "precharge_retries").any()
        assert states(sound) <= {"Standby", "Support", "Drive", "Charge"}
        retries, _ = pair.before_failure("precharge_retries")
        assert np.diff(retries[np.isfinite(retries)]).max(initial=0.0) <= MOST_RETRIES
