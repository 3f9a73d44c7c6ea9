from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from reports.problems import Problem
from reports.timelines import (
    AHEAD,
    AHEAD_AT_LEAST,
    BACK,
    axis_strip,
    repair_axis,
    repair_strip,
    severity_bar,
    warning_strip,
)
from storage.prognoses import Prognosis
from tests.support.a_visit import NOW, an_alert
from tests.support.markup import parsed
from tickets.visit import Appointment
from vehicle.finding import RemainingUsefulLife, Severity


def a_problem(days: float | None, booked_in: float | None = None) -> Problem:
    """Opened a day ago."""
    life = RemainingUsefulLife(days / 2, days, days * 2) if days else None
    prognosis = Prognosis(NOW, life) if life else None
    if booked_in is None:
        return Problem(an_alert(), None, prognosis=prognosis)
    starts = NOW + timedelta(days=booked_in)
    return Problem(an_alert(), None, None, Appointment(UUID(int=1), "A-1", "North", "", starts, starts, NOW), prognosis)


def classes(strip: str) -> list[str]:
    drawn = [node.get("class") for node in parsed(strip).iter()]
    return [kind for kind in drawn if kind and kind not in {"grid", "strip", "tick"}]


def test_the_axis_holds_the_near_past_and_the_near_future() -> None:
    long_ago = Problem(an_alert(opened_at=NOW - timedelta(days=400)), None)
    assert repair_axis([], NOW).end >= NOW + AHEAD_AT_LEAST
    assert repair_axis([a_problem(6)], NOW).end >= NOW + timedelta(days=12)
    assert repair_axis([a_problem(6)], NOW).start <= NOW - timedelta(days=1)
    axis = repair_axis([long_ago, a_problem(900)], NOW)
    assert NOW - BACK * 1.1 < axis.start < NOW - BACK
    assert NOW + AHEAD < axis.end < NOW + AHEAD * 1.1


def test_a_strip_shows_when_it_was_found_fails_and_is_repaired() -> None:
    strip = repair_strip(a_problem(5, booked_in=2), repair_axis([a_problem(10)], NOW), NOW)
    assert classes(strip) == ["today", "range warning", "wait", "found", "likely warning", "booked"]
    words = parsed(strip).get("aria-label")
    assert words == "found 6 Sep 2026, failure 9 Sep 2026 to 17 Sep 2026, appointment 9 Sep 2026"


def test_what_cannot_be_dated_has_no_dot() -> None:
    strip = repair_strip(a_problem(None), repair_axis([], NOW), NOW)
    assert classes(strip) == ["today", "wait", "found"]


def test_what_lies_beyond_the_axis_is_an_arrow() -> None:
    axis = repair_axis([a_problem(900)], NOW)
    assert "→" in repair_strip(a_problem(900), axis, NOW)
    assert "→" not in repair_strip(a_problem(3), axis, NOW)


def test_the_axis_names_today_and_no_date_beside_it() -> None:
    axis = repair_axis([a_problem(10)], NOW)
    drawn = list(parsed(axis_strip(axis, NOW)).iter("text"))
    assert [node.text for node in drawn].count("today") == 1
    places = sorted(float(str(node.get("x")).rstrip("%")) for node in drawn)
    assert all(later - earlier >= 9 for earlier, later in pairwise(places))


def test_warning_and_bars_are_drawn_to_scale() -> None:
    drawn = parsed(warning_strip(a_problem(3), timedelta(days=8)))
    assert [node.get("cx") for node in drawn.iter("circle")] == ["0", "50.00%"]
    bar = parsed(severity_bar([(Severity.DANGER, 1), (Severity.INFO, 2)], 4))
    assert [(rect.get("x"), rect.get("width")) for rect in bar.iter("rect")] == [
        ("0.00%", "25.00%"),
        ("25.00%", "50.00%"),
    ]
