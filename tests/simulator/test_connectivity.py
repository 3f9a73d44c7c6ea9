"""The gateway: what a sound one's clock does, and what a bad one does not send."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulator.faults import FaultOrder
from simulator.fleet import Fleet, build_fleet
from simulator.profile import DENSE, SPARSE
from vehicle.batch import EventKind
from vehicle.failure import FailureMode

START = date(2026, 9, 1)
DAYS = 30
MODE = FailureMode.CONNECTIVITY_LOSS


@pytest.fixture(scope="module", params=[1, 2, 3])
def pair(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins([MODE], request.param, DAYS, START)[MODE]


def between(life: Any, first: Any, last: Any) -> Any:
    """Mask of the samples between two moments."""
    start, end = (np.datetime64(at.replace(tzinfo=None)) for at in (first, last))
    return (life[0] >= start) & (life[0] < end)


def test_the_failure_comes_in_time_and_nothing_before_the_onset(pair: Any) -> None:
    pair.check_onset()
    pair.check_failure()


def test_samples_go_missing_more_and_more_before_the_failure(pair: Any) -> None:
    fault = pair.fault
    middle = fault.onset_at + (fault.failed_at - fault.onset_at) / 2
    missing = []
    for first, last in ((fault.onset_at, middle), (middle, fault.failed_at)):
        own, twin = (between(life, first, last).sum() for life in (pair.struck, pair.healthy))
        missing.append(1.0 - own / twin)
    assert 0.0 < missing[0] < missing[1]
    assert missing[1] > 0.2


def test_the_clock_is_late_after_a_restart_and_times_of_samples_with_it(pair: Any) -> None:
    times, columns, _ = pair.struck
    before = between(pair.struck, pair.fault.first_visible_at, pair.fault.failed_at)
    behind = columns["clock_offset_ms"][before]
    assert behind.min() < -20_000.0
    # Every sample taken awake is one of the twin's, once its time is put right by what the clock is told to be off.
    awake = columns["dcdc_enabled"][before] == 1.0
    right = (times[before] - np.round(behind).astype("timedelta64[ms]"))[awake]
    after = np.searchsorted(pair.healthy[0], right).clip(1, len(pair.healthy[0]) - 1)
    apart = np.minimum(np.abs(pair.healthy[0][after] - right), np.abs(pair.healthy[0][after - 1] - right))
    assert np.quantile(apart / np.timedelta64(1, "s"), 0.95) < 0.1


def test_the_gateway_tells_of_each_time_it_was_gone(pair: Any) -> None:
    told = [event.details["status"] for event in pair.struck[2] if event.kind is EventKind.CONNECTIVITY]
    assert len(told) > 10
    assert told == (["DISCONNECTED", "CONNECTED"] * len(told))[: len(told)]
    assert not [event for event in pair.healthy[2] if event.kind is EventKind.CONNECTIVITY]


@pytest.mark.parametrize("dense", [False, True])
def test_times_never_go_back_however_bad_the_link_is(lives: Callable[[Fleet], Any], *, dense: bool) -> None:
    orders = [FaultOrder(MODE, "car-0001", -20.0), FaultOrder(MODE, "car-0002", -2.0)]
    for times, columns, _ in lives(
        build_fleet(2, 4 if dense else 15, 7, START, orders, profile=DENSE if dense else SPARSE)
    ).values():
        assert (np.diff(times) > np.timedelta64(0)).all()
        assert all(len(values) == len(times) for values in columns.values())


def test_a_sound_clock_drifts_asleep_by_its_crystal_only(lives: Callable[[Fleet], Any]) -> None:
    drifts = []
    for _, columns, _ in lives(build_fleet(8, 5, 2, START, [])).values():
        asleep = columns["dcdc_enabled"] == 0.0
        assert np.abs(columns["clock_offset_ms"][~asleep]).max() < 30.0
        assert np.abs(columns["clock_offset_ms"]).max() < 20e-6 * 5 * 86400.0 * 1000.0
        drifts.append(np.abs(columns["clock_offset_ms"][asleep]).max())
    assert max(drifts) > 200.0
