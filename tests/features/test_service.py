"""Time and distance since the last service."""

from datetime import timedelta

import numpy as np
import pytest

from features.panel import Panel
from features.service import observe
from features.states import states
from tests.support.windows import DAY, a_vehicle, a_window, minutes

AT = minutes()


def _observed(odometer: np.ndarray | float = 61_000.0, **facts: object) -> dict[str, Panel]:
    window = a_window(AT, {"odometer_km": odometer}, vehicle=a_vehicle(**facts))
    return observe(window, states(window))


def test_both_are_counted_to_the_day_s_last_sample() -> None:
    odometer = np.where(AT < 2000, 61_000.0, 61_050.0)
    panels = _observed(odometer, serviced_at=DAY - timedelta(days=100), serviced_km=43_000.0)
    assert panels["service_distance"].values.item() == 18_050.0
    assert panels["service_age"].values.item() == pytest.approx(101.0, abs=0.01)


def test_of_a_car_whose_last_service_nobody_knows_nothing_is_said() -> None:
    assert _observed() == {}


def test_without_its_odometer_the_time_counts_alone() -> None:
    serviced_at = DAY - timedelta(days=100)
    assert set(_observed(serviced_at=serviced_at)) == {"service_age"}
    assert set(_observed(np.full(len(AT), np.nan), serviced_at=serviced_at, serviced_km=1.0)) == {"service_age"}


def test_days_before_the_service_say_nothing() -> None:
    assert _observed(serviced_at=DAY + timedelta(days=3), serviced_km=61_100.0) == {}
