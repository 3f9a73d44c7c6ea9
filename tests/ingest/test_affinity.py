"""A process stays on one CPU, and its neighbours on others."""

import multiprocessing
import os

import pytest

from ingest.affinity import keep_to_one_cpu

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system moves processes as it likes")


def allowed_at(place: int) -> set[int]:
    """What is left to a fresh process; this one keeps what it may."""
    with multiprocessing.get_context("spawn").Pool(1, keep_to_one_cpu, (place,)) as pool:
        return pool.apply(os.sched_getaffinity, (0,))


def test_neighbours_stay_on_different_cpus_until_all_are_taken() -> None:
    all_cpus = os.sched_getaffinity(0)
    places = [allowed_at(place) for place in range(min(len(all_cpus), 2) + 1)]
    assert all(len(place) == 1 and place <= all_cpus for place in places)
    assert len(set().union(*places[:2])) == min(len(all_cpus), 2)
    assert (places[-1] == places[0]) == (len(all_cpus) <= 2)
