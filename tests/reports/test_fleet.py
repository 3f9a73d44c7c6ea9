import re
from html.parser import HTMLParser
from pathlib import Path

import psycopg
import pytest

from reports.fleet import write_fleet_report
from storage import vehicles
from tests.support.fleet_database import StoppedClock
from tests.support.fleet_problems import CASES
from tests.support.fleet_samples import FAULTY, NOW, SILENT
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.integration
VOID = {"meta", "link", "br", "input"}


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of turn, and collects what could fetch or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "style", "onload", "srcset"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def report(url: str, folder: Path, name: str = "fleet.html") -> str:
    with psycopg.connect(url) as connection:
        return write_fleet_report(connection, StoppedClock(), folder / "made" / name).read_text()


def test_the_same_data_gives_the_same_bytes(fleet_url: str, tmp_path: Path) -> None:
    assert report(fleet_url, tmp_path, "one.html") == report(fleet_url, tmp_path, "other.html")
    assert [path.name for path in sorted((tmp_path / "made").iterdir())] == ["one.html", "other.html"]


def test_the_page_is_whole_and_needs_nothing_else(fleet_url: str, tmp_path: Path) -> None:
    page = report(fleet_url, tmp_path)
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.tags.isdisjoint({"script", "img", "iframe", "object", "link"})
    assert parser.addresses == []
    assert "url(" not in page
    assert "@import" not in page


def test_every_problem_is_told_with_its_picture(fleet_url: str, tmp_path: Path) -> None:
    page = report(fleet_url, tmp_path)
    for vehicle_id, mode in FAULTY.items():
        assert f"<b>{vehicle_id}</b>" in page
        assert CASES[mode].summary.replace("'", "&#39;") in page
    assert len(set(re.findall(r'id="(evidence-\d+)-0-title"', page))) == len(FAULTY)
    assert "6 of 12 cars have an open problem." in page
    assert "3 of 6 problems have an appointment." in page
    assert f"{SILENT} (last heard of 22 Sep)" in page
    assert "Vehicle is not registered" in page


def test_what_fails_first_stands_first(fleet_url: str, tmp_path: Path) -> None:
    page = report(fleet_url, tmp_path)
    table = page.partition("<h2>What fails, and when it is repaired</h2>")[2].partition("</table>")[0]
    assert "Next to fail: charge inlet overheats on <b>van-01</b>, expected 26 Sep" in page
    assert re.findall(r"<b>([^<]*)</b>", table) == ["van-01", "van-02", "city-02", "city-01", "estate-02", "estate-01"]


def test_once_every_appointment_has_begun_nothing_fails_next(own_fleet_url: str, tmp_path: Path) -> None:
    with psycopg.connect(own_fleet_url) as connection:
        connection.execute("UPDATE alerts SET status = 'dismissed' WHERE status = 'open'")
        connection.execute("DELETE FROM tickets WHERE visit_id NOT IN (SELECT visit_id FROM appointments)")
        connection.execute("UPDATE alerts SET status = 'resolved' WHERE alert_id NOT IN (SELECT alert_id FROM tickets)")
        connection.execute("UPDATE appointments SET starts_at = starts_at - interval '5 days'")
    page = report(own_fleet_url, tmp_path)
    assert "Next to fail" not in page
    assert "the workshop has yet to report" in page


def test_an_empty_stack_has_a_report(database_url: str, tmp_path: Path) -> None:
    page = report(database_url, tmp_path)
    assert "No car is registered yet." in page


def test_hostile_names_stay_text(database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO vehicles VALUES ('<script>alert(1)</script>', now(), NULL, '', '', NULL, NULL, NULL, NULL, '')"
        )
        vehicles.register(connection, VehicleRecord("car\u202eevil", registered_at=NOW))
    page = report(database_url, tmp_path)
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
