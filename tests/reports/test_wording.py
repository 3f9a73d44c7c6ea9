from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from reports import wording
from tickets.ticket import Channel
from vehicle.failure import Component, FailureMode

NOW = datetime(2026, 9, 25, 6, 30, tzinfo=UTC)


def test_every_part_fault_and_channel_has_words_of_its_own() -> None:
    names = list(chain(Component, FailureMode, Channel))
    titles = [wording.title(name) for name in names]
    assert not any("_" in title for title in titles)
    assert wording.title(FailureMode.TYRE_SLOW_LEAK) == "Tyre is losing air"
    assert wording.title("something_new") == "Something new"


@pytest.mark.parametrize(
    ("location", "words"), [("fl", "front left"), ("rr", "rear right"), ("V_81", "cell group 81"), ("x9", "x9")]
)
def test_locations_are_named_as_a_workshop_names_them(location: str, words: str) -> None:
    assert wording.place(location) == words
    assert wording.labelled(f"Pressure {location}") == f"Pressure {words}"


@pytest.mark.parametrize(
    ("value", "text"),
    [(11.996, "12.00"), (4206.4, "4,206"), (0.05321, "0.05321"), (0.0, "0"), (-30.147, "-30.15"), (1e-9, "0.000000")],
)
def test_figures_have_four_digits(value: float, text: str) -> None:
    assert wording.significant(value) == text


def test_units_are_written_with_their_signs() -> None:
    assert wording.quantity(71.94, "degC") == "71.94 °C"
    assert wording.quantity(3.0, "") == "3.000"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=20), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=-12), "12 days"),
    ],
)
def test_lengths_of_time_use_their_largest_unit(length: timedelta, text: str) -> None:
    assert wording.span(length) == text


def test_moments_are_told_from_now() -> None:
    assert wording.distance(NOW + timedelta(days=5), NOW) == "in 5 days"
    assert wording.distance(NOW - timedelta(hours=3), NOW) == "3 hours ago"
    assert wording.time_of_day(NOW) == "25 Sep 2026, 06:30"
    assert wording.near_time(NOW) == "25 Sep, 06:30"
