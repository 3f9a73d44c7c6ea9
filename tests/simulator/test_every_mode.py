"""Every mode of the table: nothing before the onset, then its telling signal stands out, then it fails in time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from benchmarks.symptoms import SYMPTOMS, daily
from benchmarks.twins import ONSET_DAY
from simulator.fault_modes import FAULT_MODES
from vehicle.failure import FailureMode

START = date(2026, 10, 20)
"""Into a winter: cold is what some modes need."""
SEED = 5
"""None that growth was tuned on."""
SPANS = (0.0, 2.0, 8.0, 17.0, 27.0, 50.0, 100.0)
"""Modes whose median durations lie between two of these, in days, live together."""


@pytest.fixture(scope="module")
def pairs(twins: Callable[..., Any]) -> dict[FailureMode, Any]:
    """The twins of every mode, and their days."""
    found: dict[FailureMode, Any] = {}
    for low, high in pairwise(SPANS):
        modes = [mode for mode, one in FAULT_MODES.items() if low < one.duration_days <= high]
        days = round(ONSET_DAY + 1.25 * high + 9.0)
        found |= {mode: (pair, days) for mode, pair in twins(modes, SEED, days, START).items()}
    return found


@pytest.mark.parametrize("mode", FAULT_MODES)
def test_equal_until_the_onset_then_visible_then_failed_in_time(pairs: Any, mode: FailureMode) -> None:
    pair, _ = pairs[mode]
    pair.check_onset()
    pair.check_failure()


@pytest.mark.parametrize("mode", FAULT_MODES)
def test_the_telling_signal_leaves_the_twins_by_three_sigma_before_the_failure(pairs: Any, mode: FailureMode) -> None:
    pair, days = pairs[mode]
    location = "".join(pair.fault.locations)
    own = daily(pair.struck, SYMPTOMS[mode], location, START, days)
    twin = daily(pair.healthy, SYMPTOMS[mode], location, START, days)
    apart = np.flatnonzero(np.abs(own - twin) > 3.0 * np.nanstd(twin))
    failed = (pair.fault.failed_at - datetime.combine(START, time(), UTC)) / timedelta(days=1)
    assert len(apart)
    assert ONSET_DAY <= apart[0] <= failed


def test_the_table_of_symptoms_has_every_mode() -> None:
    assert list(SYMPTOMS) == list(FAULT_MODES)
