"""The recurrence against its definition, one step at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulator.recurrence import recur, total

lengths = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(lengths, st.data())
def test_recur_is_the_step_by_step_solution(sizes: list[int], data: st.DataObject) -> None:
    rows = sum(sizes)
    keep = data.draw(arrays(np.float64, rows, elements=st.floats(0, 1)))
    gain = data.draw(arrays(np.float64, rows, elements=st.floats(-1e3, 1e3)))
    before = data.draw(arrays(np.float64, len(sizes), elements=st.floats(-1e3, 1e3)))
    first = np.cumsum([0, *sizes[:-1]])
    expected = np.empty(rows)
    for number, (start, size) in enumerate(zip(first, sizes, strict=True)):
        value = before[number]
        for row in range(start, start + size):
            value = keep[row] * value + gain[row]
            expected[row] = value
    np.testing.assert_allclose(recur(keep, gain, first, before), expected, rtol=1e-9, atol=1e-6)
    summed = np.concatenate([before[number] + np.cumsum(part) for number, part in enumerate(np.split(gain, first[1:]))])
    np.testing.assert_allclose(total(gain, first, before), summed, rtol=1e-9, atol=1e-6)


@given(lengths, st.integers(0, 2**32 - 1))
def test_recur_of_a_series_does_not_depend_on_its_neighbours_to_the_last_bit(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = sum(sizes)
    keep, gain, before = rng.random(rows) ** 9, rng.normal(size=rows), rng.normal(size=len(sizes))
    first = np.cumsum([0, *sizes[:-1]])
    together = recur(keep, gain, first, before)
    for number, (start, size) in enumerate(zip(first, sizes, strict=True)):
        own = slice(start, start + size)
        alone = recur(keep[own], gain[own], np.array([0]), before[number : number + 1])
        assert together[own].tobytes() == alone.tobytes()
        summed = total(gain, first, before)[own], total(gain[own], np.array([0]), before[number : number + 1])
        assert summed[0].tobytes() == summed[1].tobytes()


def test_recur_forgets_without_subnormal_numbers() -> None:
    values = recur(np.full(5000, 1e-3), np.zeros(5000), np.array([0]), np.array([1.0]))
    assert values[-1] == 0.0
