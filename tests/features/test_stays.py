"""What a car tells while it is in a workshop is left out, and what stands when it leaves is told then."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.stays import EVERYTHING, Stay, earliest_needed, events_outside, first_change, outside, spans
from rules.told import seen_to, told
from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.moment import instants, moment

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAILED, CLEARED = DtcStatus.TEST_FAILED, DtcStatus(0)


def a_stay(start: float, end: float, number: int = 1, seen: tuple[str, ...] = ()) -> Stay:
    return Stay(number, START + start * HOUR, START + end * HOUR, seen)


def a_code(hour: float, status: DtcStatus = FAILED, code: str = "BMS_a151") -> Event:
    return Event(START + hour * HOUR, EventKind.TROUBLE_CODE, DiagnosticTroubleCode(code, status))


STAYS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=5).map(
    lambda ones: [a_stay(start, start + length, number) for number, (start, length) in enumerate(ones)]
)


@given(STAYS)
def test_times_are_outside_if_no_stay_holds_them(stays: list[Stay]) -> None:
    times = [START + hour * HOUR for hour in range(70)]
    expected = [not any(stay.start <= at < stay.end for stay in stays) for at in times]
    assert outside(instants(times), stays).tolist() == expected
    assert all(before[1] < after[0] for before, after in pairwise(spans(stays)))


def test_a_code_that_the_workshop_sets_and_clears_is_not_told() -> None:
    events = [a_code(1), a_code(3, code="BCM_1"), a_code(5, CLEARED, code="BCM_1"), a_code(9)]
    told_of = events_outside(events, [a_stay(2, 8)], (START, START + 24 * HOUR))
    assert [(one.at - START) / HOUR for one in told_of] == [1, 8, 9]
    standing = told_of[1].trouble_code
    assert standing
    assert (standing.code, standing.status) == ("BCM_1", CLEARED)


@given(
    STAYS,
    st.lists(st.tuples(st.integers(0, 70), st.sampled_from([FAILED, CLEARED])), max_size=8),
    st.sets(st.integers(1, 69), max_size=4),
)
def test_events_are_the_same_in_one_span_and_in_several(
    stays: list[Stay], codes: list[tuple[int, DtcStatus]], cuts: set[int]
) -> None:
    events = [a_code(hour, status) for hour, status in sorted(codes, key=lambda one: one[0])]

    def read(start: datetime, end: datetime) -> list[Event]:
        since = earliest_needed(stays, start, end)
        return events_outside([one for one in events if since <= one.at < end], stays, (start, end))

    edges = [START + hour * HOUR for hour in sorted({0, 80} | cuts)]
    in_pieces = [one for start, end in pairwise(edges) for one in read(start, end)]
    whole = read(edges[0], edges[-1])
    assert in_pieces == whole
    told(pd.DataFrame(index=pd.DatetimeIndex([], tz="UTC")), {}, whole)
    assert [one.at for one in whole] == sorted(one.at for one in whole)
    assert not any(stay.start <= one.at < stay.end for one in whole for stay in stays)


@pytest.mark.parametrize(
    ("before", "after", "hour"),
    [
        ([], [], None),
        ([a_stay(1, 5)], [a_stay(1, 5)], None),
        ([], [a_stay(1, 5)], 1),
        ([a_stay(1, 5)], [], 1),
        ([a_stay(1, 5)], [a_stay(1, 3)], 3),
        ([a_stay(1, 5)], [a_stay(1, 5, seen=(EVERYTHING,))], 5),
        ([a_stay(1, 5)], [a_stay(1, 5), a_stay(0, 2, number=2)], 0),
    ],
)
def test_what_has_become_known_of_stays_goes_back_as_far_as_it_matters(
    before: list[Stay], after: list[Stay], hour: float | None
) -> None:
    assert first_change(before, after) == (None if hour is None else START + hour * HOUR)


def test_a_report_is_told_from_the_moment_the_car_is_back_by_component() -> None:
    stays = [a_stay(1, 5, 1, ("tyre",)), a_stay(7, 9, 2, (EVERYTHING, "tyre")), a_stay(11, 20, 3, ("brake",))]
    panels = seen_to(stays, START + 12 * HOUR)
    hours = {name: [(moment(at) - START) / HOUR for at in one.times] for name, one in panels.items()}
    assert hours == {"workshop tyre": [5, 9], "workshop": [9]}
    assert seen_to(stays, START + 5 * HOUR) == {}
