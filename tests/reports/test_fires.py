"""The page of what rules would have said: every fire is on it, once, however many there are."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.axes import TimeAxis
from reports.fires import FireMark, FirePage, FireRow, FireSeries, fire_strip, write_fire_page
from tests.support.markup import parsed

START = datetime(2026, 3, 1, tzinfo=UTC)
AXIS = TimeAxis(START, START + timedelta(days=60))


def a_series(kinds: dict[str, int], label: str = "", **known: float) -> FireSeries:
    marks = [
        FireMark(START + timedelta(hours=31 * number % 1400), f"car-{number % 9}", kind)
        for kind, count in kinds.items()
        for number in range(count)
    ]
    return FireSeries(label, tuple(marks), 0.25, (0.5, 2, 7), **known)  # type: ignore[arg-type]


def a_page(rows: list[FireRow], reference: str = "truth") -> FirePage:
    whole = FireRow("All rules", "", rows[0].series)
    return FirePage(tuple(rows), whole, AXIS, 9, 540, 1_000_000, 8, reference, "fleet")


def drawn(strip: str) -> list[str]:
    return [kind for node in parsed(strip).iter() if (kind := node.get("class") or "").startswith("fire")]


def test_a_strip_shows_each_fire_by_what_is_known_of_it() -> None:
    strip = fire_strip(a_series({"right": 2, "wrong": 1, "unknown": 1}), AXIS)
    assert sorted(drawn(strip)) == ["fire right", "fire right", "fire unknown", "fire wrong"]
    assert parsed(strip).get("aria-label") == "4 fires: 1 unknown, 2 right, 1 wrong"


def test_fires_that_lie_on_each_other_are_one_mark_that_says_how_many() -> None:
    marks = tuple(FireMark(START + timedelta(days=30, minutes=n), f"car-{n}", "wrong") for n in range(5))
    strip = fire_strip(FireSeries("", marks, 0.1, (0.1, 0, 1)), AXIS)
    assert drawn(strip) == ["fire wrong many"]
    (title,) = [node.text for node in parsed(strip).iter("title")]
    assert title is not None
    assert title.startswith("wrong: car-0 31 Mar")
    assert title.endswith("and 2 more")


def test_marks_stay_few_however_many_fires_there_are() -> None:
    assert len(drawn(fire_strip(a_series({"right": 5000, "wrong": 5000}), AXIS))) < 500


class _Rows(HTMLParser):
    """The classes and texts of a page, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("reference", ["truth", "verdicts", ""])
@pytest.mark.parametrize("labels", [("",), ("before", "after")])
def test_the_page_has_a_row_for_each_rule_and_needs_no_other_file(
    tmp_path: Path, reference: str, labels: tuple[str, ...]
) -> None:
    rows = [
        FireRow(f"rule_{n}", f"Rule <{n}>", tuple(a_series({"right": n, "wrong": n % 3}, label) for label in labels))
        for n in range(1, 51)
    ]
    missed = FireRow("missed", "Found nothing", tuple(a_series({}, label, faults=4, recall=0.0) for label in labels))
    quiet = FireRow("quiet", "Had nothing to find", tuple(a_series({}, label) for label in labels))
    page = write_fire_page(a_page([*rows, missed, quiet], reference), tmp_path / "new" / "fires.html").read_text()
    reader = _Rows()
    reader.feed(page)
    assert reader.open == []
    assert page.count('<th scope="rowgroup"') == 52
    assert page.count('<td class="series"') == (0 if labels == ("",) else 2 * 52)
    assert page.index("rule_50") < page.index("rule_1<")
    assert "Rule &lt;7&gt;" in page
    assert "quiet" in page.split("Rules that kept quiet")[1]
    assert not re.search(r"(src|href)=", page)
    assert ("Precision</th>" in page) == bool(reference)
    assert len(page) < 2_000_000
