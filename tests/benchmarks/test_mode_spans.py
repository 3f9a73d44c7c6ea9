"""What `vsc bench modes` says of a mode, and how it draws it."""

from datetime import date

from benchmarks.mode_spans import CARS, chart, span
from benchmarks.twins import live_twins
from vehicle.failure import FailureMode

START = date(2026, 9, 1)


def test_a_mode_is_seen_before_it_fails_in_most_cars() -> None:
    found = span(FailureMode.BRAKE_FLUID_LOW, 1, START)
    assert found.cars_failed > 0.8 * CARS
    assert list(found.visible) == sorted(found.visible)
    assert found.visible[1] <= found.failed[1]


def test_a_chart_has_both_lives_and_the_course_of_the_fault() -> None:
    mode = FailureMode.BRAKE_FLUID_LOW
    drawn = chart(mode, live_twins([mode], 1, 12, START)[mode], START, 12)
    for words in ("with the fault", "without", "onset", "visible", "failed", "30 Brake fluid is low"):
        assert words in drawn
