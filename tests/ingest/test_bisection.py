"""What does not fit is found by halving, and nothing else is left out."""

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.bisection import MOST_PROBES, find_misfits, part
from tests.support.some_batches import BOOT, NOW, a_batch
from vehicle.batch import Event, EventBatch, EventKind, TelemetryBatch


@given(count=st.integers(1, 60), bad=st.sets(st.integers(0, 59), max_size=12))
def test_just_the_misfits_are_found(count: int, bad: set[int]) -> None:
    there = {index for index in bad if index < count}
    assert find_misfits(count, there.isdisjoint) == sorted(there)


def test_too_many_misfits_are_not_searched_for() -> None:
    probes = 0

    def never(_: object) -> bool:
        nonlocal probes
        probes += 1
        return False

    assert find_misfits(20_000, never) is None
    assert probes == MOST_PROBES


@given(st.sets(st.integers(0, 4)).map(sorted))
def test_a_part_of_a_batch_is_its_samples(chosen: list[int]) -> None:
    batch = a_batch({"hv_soc_pct": [0, 1, 2, 3, 4], "cell_voltages_v": np.ones((5, 3))}, extra={"note": list("abcde")})
    some = part(batch, chosen)
    assert isinstance(some, TelemetryBatch)
    assert some.columns["hv_soc_pct"].tolist() == chosen
    assert some.columns["cell_voltages_v"].shape == (len(chosen), 3)
    assert some.extra == {"note": ["abcde"[i] for i in chosen]}
    assert some.times.tolist() == [batch.times.tolist()[i] for i in chosen]
    assert (some.boot, some.seq) == (batch.boot, batch.seq)


def test_a_part_of_a_batch_of_events_is_some_of_them() -> None:
    events = tuple(Event(NOW + timedelta(seconds=i), EventKind.DRIVE_START) for i in range(4))
    some = part(EventBatch("car-1", BOOT, 1, NOW, events), [1, 3])
    assert isinstance(some, EventBatch)
    assert some.events == (events[1], events[3])
