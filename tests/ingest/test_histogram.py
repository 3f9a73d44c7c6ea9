import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as TheirHistogram

from ingest.histogram import Histogram

BOUNDS = (0.1, 1.0, 5.0)


@given(st.lists(st.lists(st.floats(-10, 10) | st.sampled_from(BOUNDS))))
def test_many_at_once_count_as_one_by_one(flushes: list[list[float]]) -> None:
    ours = Histogram("x", "X.", BOUNDS)
    registry = CollectorRegistry()
    theirs = TheirHistogram("x", "X.", buckets=BOUNDS, registry=registry)
    for flush in flushes:
        ours.add(np.array(flush))
        for value in flush:
            theirs.observe(value)
    for sample in ours.family().samples:
        expected = registry.get_sample_value(sample.name, sample.labels)
        assert expected is not None
        assert np.isclose(sample.value, expected)


def test_below_zero_there_is_no_sum() -> None:
    histogram = Histogram("x", "X.", (-1, 0, 1))
    histogram.add(np.array([-5.0, 0.5]))
    assert {sample.name for sample in histogram.family().samples} == {"x_bucket"}
