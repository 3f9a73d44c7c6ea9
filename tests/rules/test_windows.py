"""Window functions against plain implementations, sample by sample, over several cars."""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.trend import trend
from rules.engine import windows as w
from rules.engine.clock import Clock, clock_of, union

SECOND_US = 1_000_000
START = 1_772_323_200 * SECOND_US
Point = tuple[int, float]
"""Microseconds and value; NaN is unknown."""

POINTS = st.lists(
    st.tuples(
        st.integers(1, 900 * SECOND_US),
        st.one_of(st.floats(-400, 400).map(lambda value: round(value, 2)), st.just(math.nan)),
    ),
    max_size=25,
)
CARS = st.lists(POINTS, min_size=1, max_size=4)
LENGTHS = st.integers(1, 3600 * SECOND_US).map(lambda us: timedelta(microseconds=us))


def _cars(steps: Sequence[Sequence[Point]]) -> list[list[Point]]:
    return [
        list(
            zip(
                (START + np.cumsum([step for step, _ in car], dtype=np.int64)).tolist(),
                [v for _, v in car],
                strict=True,
            )
        )
        for car in steps
    ]


def _clock(cars: Sequence[Sequence[Point]]) -> Clock:
    return clock_of([np.array([at for at, _ in car], np.int64) for car in cars])


def _values(cars: Sequence[Sequence[Point]]) -> np.ndarray:
    return np.array([value for car in cars for _, value in car], float)


def _plain(cars: list[list[Point]], length: timedelta, function: Callable[[list[Point], int], float]) -> np.ndarray:
    us = length // timedelta(microseconds=1)
    return np.array(
        [
            function([(t, v) for t, v in car if at - us < t <= at and not math.isnan(v)], at)
            for car in cars
            for at, _ in car
        ],
        float,
    )


def _slope(points: list[Point], at: int) -> float:
    times = np.array([(t - at) / w.DAY_US for t, _ in points])
    if len(set(times.tolist())) < 2:
        return math.nan
    return float(np.polyfit(times, [v for _, v in points], 1)[0])


def _trend(points: list[Point], _: int) -> float:
    if len(points) < w.LEAST_OF_TREND:
        return math.nan
    line = trend(np.array([t for t, _ in points]) / w.DAY_US, np.array([v for _, v in points]))
    return math.nan if line is None else line.proven


FUNCTIONS: dict[str, tuple[Callable[[w.Series, w.Windows], w.Series], Callable[[list[Point], int], float]]] = {
    "count": (w.count, lambda points, _: len(points)),
    "avg": (w.avg, lambda points, _: float(np.mean([v for _, v in points])) if points else math.nan),
    "min": (w.least, lambda points, _: min((v for _, v in points), default=math.nan)),
    "max": (w.greatest, lambda points, _: max((v for _, v in points), default=math.nan)),
    "last": (w.last, lambda points, _: points[-1][1] if points else math.nan),
    "delta": (w.delta, lambda points, _: points[-1][1] - points[0][1] if len(points) > 1 else math.nan),
    "quantile": (
        lambda values, over: w.quantile(values, over, 0.9),
        lambda points, _: float(np.quantile([v for _, v in points], 0.9)) if points else math.nan,
    ),
    "trend": (w.proven_trend, _trend),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(steps=CARS, length=LENGTHS)
def test_a_window_function_is_what_it_says(name: str, steps: list[list[Point]], length: timedelta) -> None:
    cars = _cars(steps)
    fast, plain = FUNCTIONS[name]
    found = fast(_values(cars), w.windows(_clock(cars), length))
    np.testing.assert_allclose(found, _plain(cars, length, plain), rtol=1e-9, atol=1e-6)


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 60), st.integers(-4000, 4000)), max_size=25), min_size=1, max_size=3),
    st.integers(2, 40),
)
def test_a_slope_is_the_least_squares_line(steps: list[list[tuple[int, int]]], minutes: int) -> None:
    cars = _cars([[(step * 60 * SECOND_US, value / 10) for step, value in car] for car in steps])
    length = timedelta(minutes=minutes)
    found = w.slope(_values(cars), w.windows(_clock(cars), length))
    np.testing.assert_allclose(found, _plain(cars, length, _slope), rtol=1e-4, atol=1.0)


@given(CARS, LENGTHS)
def test_time_since_counts_from_the_latest_value(steps: list[list[Point]], length: timedelta) -> None:
    cars = _cars(steps)
    clock = _clock(cars)
    first = np.array([car[0][0] if car else 0 for car in cars], np.int64)[clock.car]
    found = w.time_since(_values(cars), w.windows(clock, length), first)
    seconds = length.total_seconds()
    expected = [
        next(
            (
                (at - t) / SECOND_US
                for t, v in reversed(car)
                if t <= at and (at - t) / SECOND_US < seconds and not math.isnan(v)
            ),
            seconds if (at - car[0][0]) / SECOND_US >= seconds else math.nan,
        )
        for car in cars
        for at, _ in car
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("function", [w.avg, w.slope, w.least, w.delta, FUNCTIONS["quantile"][0]])
@given(steps=POINTS, cut=st.integers(0, 25), length=LENGTHS)
def test_what_lies_before_a_window_changes_no_bit(
    function: Callable[[w.Series, w.Windows], w.Series], steps: list[Point], cut: int, length: timedelta
) -> None:
    car = _cars([steps])[0]
    whole = function(_values([car]), w.windows(_clock([car]), length))
    us = length // timedelta(microseconds=1)
    later = car[min(cut, len(car)) :]
    kept = [point for point in car if later and point[0] > later[0][0] - us]
    again = function(_values([kept]), w.windows(_clock([kept]), length))
    assert np.array_equal(whole[len(car) - len(later) :], again[len(kept) - len(later) :], equal_nan=True)


@given(CARS, CARS)
def test_clocks_unite_and_find_each_other(one: list[list[Point]], other: list[list[Point]]) -> None:
    one, other = [[*cars, *[[]] * (4 - len(cars))] for cars in (_cars(one), _cars(other))]
    a, b = _clock(one), _clock(other)
    both = union([a, b], 4)
    for car in range(4):
        expected = sorted({at for at, _ in [*one[car], *other[car]]})
        assert both.times[both.of(car)].tolist() == expected
        found = a.latest(both)[both.of(car)].tolist()
        times = [at for at, _ in one[car]]
        latest = [max((t for t in times if t <= at), default=None) for at in expected]
        assert [None if place < 0 else int(a.times[place]) for place in found] == latest
