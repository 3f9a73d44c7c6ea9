"""How far a cell group stands behind its peers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.cell_scores import drift, robust_sigma, scores

RNG_SEED = 3


def _pack(sigma: float = 3.0, cells: int = 90) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).normal(0.0, sigma, cells)


def test_the_threshold_is_the_scatter_and_20_millivolts() -> None:
    pack = _pack()
    pack[5] = 0.0
    sigma = robust_sigma(np.append(np.delete(pack, 5), -23.0))
    pack[5] = -(sigma + 20.0)
    score, grade = scores(pack, None)
    assert score[5] == pytest.approx(1.0)
    assert grade.sum() <= 1
    pack[5] = -(sigma + 30.1)
    assert scores(pack, None)[1].tolist() == [0] * 5 + [2] + [0] * 84


def test_a_group_above_its_peers_is_not_weak() -> None:
    pack = _pack()
    pack[5] = 80.0
    assert scores(pack, None)[1].sum() == 0


@pytest.mark.parametrize("sigma", [0.0, 2.0, 5.0, 10.0, 20.0, 50.0])
def test_of_a_hundred_sound_packs_none_is_found_weak_however_widely_they_scatter(sigma: float) -> None:
    rng = np.random.default_rng(RNG_SEED)
    weak = [scores(rng.normal(0.0, sigma, 96), None)[1].any() for _ in range(100)]
    assert sum(weak) <= 1


def test_ten_weak_groups_of_a_hundred_do_not_hide_each_other() -> None:
    pack = _pack(cells=100)
    pack[:9] = -50.0
    assert scores(pack, None)[1][:9].all()


def test_an_unknown_group_has_no_score() -> None:
    pack = _pack()
    pack[5] = np.nan
    score, grade = scores(pack, np.zeros(90))
    assert np.isnan(score[5])
    assert grade[5] == 0


def test_a_drift_counts_from_where_the_group_stood() -> None:
    baseline = _pack(sigma=20.0)
    baseline[5] = 15.0
    today = baseline.copy()
    today[5] = -15.0
    assert scores(today, None)[1][5] == 0
    assert scores(today, baseline)[1][5] >= 1


@pytest.mark.parametrize("stretch", [0.3, 0.5, 1.0, 1.8])
def test_a_stretched_pattern_is_no_drift(stretch: float) -> None:
    baseline = _pack(sigma=20.0)
    assert drift(baseline * stretch, baseline) == pytest.approx(0.0, abs=1e-9)
    assert scores(baseline * stretch, baseline)[1].sum() == 0


@given(st.permutations(range(30)), st.integers(0, 29))
def test_the_order_of_the_groups_does_not_matter(order: list[int], weak: int) -> None:
    pack = _pack(cells=30)
    pack[weak] = -40.0
    score, grade = scores(pack, None)
    permuted, regraded = scores(pack[order], None)
    assert permuted == pytest.approx(score[order])
    assert (regraded == grade[order]).all()
