"""What windows carry from one look to the next: as little as later windows can rest on."""

import itertools
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.carried import Carried
from rules.engine.clock import clock_of
from rules.engine.columns import batch_of
from rules.engine.judge import judge
from rules.engine.memory import Memory
from rules.engine.spells import joined, spells
from rules.told import told
from tests.support.a_rule import a_rule
from tests.support.windows import a_vehicle

SECOND = 1_000_000
START = np.datetime64("2026-03-01T06:00", "us")


@pytest.mark.parametrize(
    ("when", "most"),
    [
        ("max(lv_voltage_v, 24 h) > 31 V", 1),
        ("min(lv_voltage_v, 24 h) < 1 V", 2),
        ("delta(lv_voltage_v, 24 h) > 5 V", 4),
        ("last(lv_voltage_v, 24 h) < 1 V", 1),
        ("time_since(lv_voltage_v, 24 h) > 20 h", 1),
        ("count(lv_voltage_v > 31 V, 24 h) > 0", 0),
        ("absent(lv_voltage_v, 24 h)", 1),
        ("avg(lv_voltage_v, 1 min) < 1 V", 60),
        ("quantile(lv_voltage_v where hv_soc_pct < 5 %, 24 h, 0.5) < 1 V", 0),
    ],
)
def test_no_more_is_carried_than_a_later_window_rests_on(when: str, most: int) -> None:
    rule, memory, carried = a_rule(when, "lv_voltage_v > 2 V"), Memory(), Carried()
    volts = np.where(np.arange(600) < 300, 12.5, 12.75)
    for first in range(0, 600, 50):
        at = pd.DatetimeIndex(START + np.arange(first, first + 50) * np.timedelta64(SECOND, "us"), tz="UTC")
        frame = pd.DataFrame({"lv_voltage_v": volts[first : first + 50], "hv_soc_pct": 50.0, "speed_kmh": 30.0}, at)
        judge(rule, batch_of([(a_vehicle(), told(frame, {}, []))]), [memory], carried=[carried])
    assert sum(len(points.times) for points in carried.points.values()) == most
    assert len(carried.awake) <= 1


SPELLS = st.lists(st.lists(st.integers(1, 40), max_size=12), min_size=1, max_size=3)


@given(steps=SPELLS, asked=st.integers(0, 500), gap=st.integers(1, 30))
def test_spells_last_as_long_as_their_samples_follow_each_other(steps: list[list[int]], asked: int, gap: int) -> None:
    times = [np.cumsum(car, dtype=np.int64) for car in steps]
    found = spells(clock_of(times), gap)
    cars = np.arange(len(times))
    expected = [sum(max(0, min(asked, b) - a) for a, b in itertools.pairwise(one) if b - a <= gap) for one in times]
    assert found.lasted(cars, np.full(len(cars), asked)).tolist() == expected


@given(steps=SPELLS, cut=st.integers(0, 12), gap=st.integers(1, 30))
def test_spells_that_are_cut_in_two_are_joined_again(steps: list[list[int]], cut: int, gap: int) -> None:
    times = [np.cumsum(car, dtype=np.int64) for car in steps]
    earlier = spells(clock_of([one[:cut] for one in times]), gap)
    # What follows begins at the sample that was seen last.
    later = spells(clock_of([one[max(cut - 1, 0) :] for one in times]), gap)
    whole, again = spells(clock_of(times), gap), joined([earlier.of(car) for car in range(len(times))], later)
    assert [whole.of(car).tolist() for car in range(len(times))] == [
        again.of(car).tolist() for car in range(len(times))
    ]


def test_a_day_of_driving_is_one_spell() -> None:
    drive = np.arange(0, 86_400 * SECOND, SECOND, dtype=np.int64)
    found = spells(clock_of([drive]), timedelta(minutes=30) // timedelta(microseconds=1))
    assert found.of(0).tolist() == [[0, 86_399 * SECOND]]
