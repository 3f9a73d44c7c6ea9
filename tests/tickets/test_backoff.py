from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.a_visit import NOW
from tickets.backoff import DELAYS, JITTER, LONGEST_ASKED, next_attempt_at


@given(st.integers(1, 9), st.integers(0, 2**64), st.none() | st.timedeltas(timedelta(), timedelta(days=9)))
def test_the_next_attempt_is_within_the_jitter_and_not_before_what_was_asked(
    attempts: int, seed: int, asked: timedelta | None
) -> None:
    at = next_attempt_at(NOW, attempts, np.random.default_rng(seed), asked)
    assert at is not None
    least = max(DELAYS[attempts - 1] * (1 - JITTER), min(asked or timedelta(), LONGEST_ASKED))
    assert NOW + least <= at <= NOW + max(DELAYS[attempts - 1] * (1 + JITTER), LONGEST_ASKED)


def test_after_the_tenth_attempt_there_is_none() -> None:
    assert next_attempt_at(NOW, 10, np.random.default_rng(1)) is None


def test_the_same_seed_gives_the_same_time_and_others_spread() -> None:
    times = {next_attempt_at(NOW, 3, np.random.default_rng(seed)) for seed in range(50)}
    assert len(times) == 50
    again = {next_attempt_at(NOW, 3, np.random.default_rng(seed)) for seed in range(50)}
    assert times == again
