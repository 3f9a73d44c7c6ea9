"""A car's place in time, and the way back."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.stays import Stay
from flows.place import MARK_EVERY, MARKS, Place
from storage.detectors import DetectorState
from vehicle.software import SoftwareVersion

START = datetime(2026, 3, 1, tzinfo=UTC)
LATE_LIMIT = timedelta(days=30)


def _judged(days: int) -> Place:
    place = Place()
    for number in range(days):
        place.mark(START + timedelta(days=number))
        place.states["rule"] = {"days": number + 1}
        place.until = START + timedelta(days=number + 1)
    return place


@given(st.integers(1, 200), st.floats(0, 30))
def test_what_is_late_within_the_limit_finds_a_state_from_before_it(days: int, late: float) -> None:
    place = _judged(days)
    assert place.until
    late_at = max(place.until - timedelta(days=late), START)
    place.go_back(late_at)
    assert START <= place.until <= late_at
    assert place.states.get("rule", {"days": 0}) == {"days": (place.until - START).days}


def test_what_is_later_than_all_marks_starts_from_the_beginning() -> None:
    place = _judged(200)
    place.go_back(START)
    assert (place.until, place.states) == (None, {})


def test_the_marks_are_few() -> None:
    assert len(_judged(400).marks) == MARKS
    assert MARK_EVERY * (MARKS - 1) >= LATE_LIMIT


def test_it_is_stored_and_read_back() -> None:
    place = _judged(40)
    place.stays = [Stay(7, START, START + LATE_LIMIT, ("tyre",)), Stay(8, START, START + LATE_LIMIT)]
    place.software = [SoftwareVersion(START, "2026.4"), SoftwareVersion(START + LATE_LIMIT, "2026.8.1")]
    stored = place.stored("car")
    assert Place.of(msgspec.convert(json.loads(msgspec.json.encode(stored)), DetectorState)) == place
    assert Place.of(None) == Place()


def test_a_car_never_judged_has_no_place() -> None:
    with pytest.raises(ValueError, match="has not been judged"):
        Place().stored("car")
