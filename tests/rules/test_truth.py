"""Kleene's three-valued logic, and functions across like parts."""

import math
from itertools import product

import numpy as np
import pytest

from rules.engine.parts import across
from rules.engine.truth import both, either
from rules.language.functions import GroupFunction

UNKNOWN = math.nan
VALUES = (0.0, 1.0, UNKNOWN)


@pytest.mark.parametrize(("left", "right"), [*product(VALUES, VALUES)])
def test_and_or_are_kleene_s(left: float, right: float) -> None:
    """Unknown is any of the two: the result is known where both choices give the same."""
    for function, plain in ((both, min), (either, max)):
        choices = {plain(a, b) for a in _either(left) for b in _either(right)}
        expected = choices.pop() if len(choices) == 1 else UNKNOWN
        found = function(np.array([left]), np.array([right]))[0]
        assert found == expected or (math.isnan(found) and math.isnan(expected))


def _either(value: float) -> tuple[float, ...]:
    return (0.0, 1.0) if math.isnan(value) else (value,)


@pytest.mark.parametrize(
    ("function", "row", "expected"),
    [
        (GroupFunction.MAX, [3.0, UNKNOWN, 5.0, 1.0], 5.0),
        (GroupFunction.MIN, [3.0, UNKNOWN, 5.0, 1.0], 1.0),
        (GroupFunction.MEDIAN, [3.0, UNKNOWN, 5.0, 1.0], 3.0),
        (GroupFunction.SPREAD, [3.0, UNKNOWN, 5.0, 1.0], 4.0),
        (GroupFunction.SPREAD, [3.0, UNKNOWN, UNKNOWN, UNKNOWN], UNKNOWN),
        (GroupFunction.ARGMAX, [3.0, UNKNOWN, 5.0, 5.0], 3.0),
        (GroupFunction.ARGMIN, [3.0, UNKNOWN, 5.0, 1.0], 4.0),
        (GroupFunction.COUNT, [3.0, UNKNOWN, 5.0, 1.0], 3.0),
        (GroupFunction.MAX, [UNKNOWN] * 4, UNKNOWN),
        (GroupFunction.COUNT, [UNKNOWN] * 4, UNKNOWN),
        (GroupFunction.ARGMAX, [UNKNOWN] * 4, UNKNOWN),
    ],
)
def test_a_function_across_parts_leaves_the_unknown_out(
    function: GroupFunction, row: list[float], expected: float
) -> None:
    found = across(function, np.array([row]), np.ones((1, 4), bool), truth=False)
    np.testing.assert_equal(found, [[expected]])


def test_any_and_all_know_which_parts_a_car_has() -> None:
    rows = np.array([[0.0, 0.0, UNKNOWN], [1.0, 1.0, UNKNOWN], [1.0, 0.0, UNKNOWN]])
    two, three = np.array([[True, True, False]]), np.ones((1, 3), bool)
    assert across(GroupFunction.ANY, rows, two, truth=True)[:, 0].tolist() == [0.0, 1.0, 1.0]
    assert across(GroupFunction.ALL, rows, two, truth=True)[:, 0].tolist() == [0.0, 1.0, 0.0]
    np.testing.assert_equal(across(GroupFunction.ANY, rows, three, truth=True)[:, 0], [UNKNOWN, 1.0, 1.0])
    np.testing.assert_equal(across(GroupFunction.ALL, rows, three, truth=True)[:, 0], [0.0, UNKNOWN, 0.0])
