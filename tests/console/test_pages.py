import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from storage.connection import connect
from storage.software import enter
from tests.support.console_server import console_client
from tests.support.fleet_problems import CASES
from tests.support.fleet_samples import FAULTY, FLEET, SILENT
from vehicle.failure import FailureMode
from vehicle.software import SoftwareVersion

NOBODYS = UUID(int=0)
"""The id of no alert and no ticket."""

pytestmark = pytest.mark.integration
ORDERS = ("/confirm", "/dismiss", "/silence", "/lift")
"""How the addresses end that take forms."""
PAGES = ("/", "/alerts", "/silences", "/tickets", "/vehicles", "/quarantine")


class Page(HTMLParser):
    """What a page links to and what could run on it; fails on a tag that is closed out of turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action", "formaction"}]
        if tag not in {"meta", "link", "br", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def alert_path(console: httpx.Client, mode: FailureMode) -> str:
    listed = console.get("/api/v1/alerts").json()
    return next(f"/alerts/{alert['alert_id']}" for alert in listed if alert["failure_mode"] == mode)


def test_every_page_and_all_that_it_links_to_is_there(console: httpx.Client) -> None:
    waiting, seen = list(PAGES), set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = console.get(path)
        assert answer.status_code == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            page = Page(answer.text)
            assert page.tags.isdisjoint({"script", "style", "iframe", "object"}), path
            assert "style" not in page.attributes
            assert not any(name.startswith("on") for name in page.attributes)
            links = [link for link in page.links if not link.endswith(ORDERS)]
            assert all(link.startswith(("/", "#", "?")) for link in links), path
            waiting += [link.partition("#")[0] for link in links if link.startswith("/")]
    assert len(seen) >= len(PAGES) + len(FLEET) + len(FAULTY)


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        f"/alerts/{NOBODYS}",
        "/alerts/17",
        f"/tickets/{NOBODYS}",
        "/tickets/17",
        "/vehicles/nobody",
        "/vehicles/%00",
        "/vehicles/..%2f..%2fetc",
        "/static/nothing.css",
        "/static/..%2fapp.py",
        "/docs",
        "/redoc",
    ],
)
def test_what_is_not_there_is_404_with_a_sentence(console: httpx.Client, path: str) -> None:
    answer = console.get(path)
    assert answer.status_code == 404
    assert re.search(r"There is no such (page|alert|ticket|vehicle)\.", answer.text)
    assert "Traceback" not in answer.text


def test_the_overview_puts_danger_first_and_tells_what_when_and_how_sure(console: httpx.Client) -> None:
    page = console.get("/").text
    box = page.partition("Do not drive or charge")[2].partition("</section>")[0]
    assert {"van-01", "van-02"} <= set(re.findall(r"/vehicles/([\w-]+)", box))
    assert "city-01" not in box
    assert page.index("Do not drive or charge") < page.index('id="waiting"') < page.index('id="settled"')
    case = CASES[FailureMode.COOLANT_PUMP_WEAK]
    row = next(row for row in page.split("<tr") if case.summary in row)
    assert "in 17 days" in row
    assert "57 %" in row
    assert "Waits for a decision" in row
    assert "<svg" in row
    assert "1 silent for a day or more" in page
    assert "13,836 samples in 297 batches" in page


def test_danger_that_a_person_dismissed_stays_in_sight(own_console: httpx.Client, own_fleet_url: str) -> None:
    with psycopg.connect(own_fleet_url) as connection:
        connection.execute("UPDATE alerts SET status = 'dismissed' WHERE failure_mode = 'charge_inlet_overheating'")
    box = own_console.get("/").text.partition("Do not drive or charge")[2].partition("</section>")[0]
    assert "Dismissed by a person" in box
    assert "van-01" in box


def test_the_alert_page_shows_all_that_decides(console: httpx.Client) -> None:
    case = CASES[FailureMode.WEAK_CELL_GROUP]
    page = console.get(alert_path(console, FailureMode.WEAK_CELL_GROUP)).text
    for shown in (
        case.summary,
        case.clears_when,
        "cell group 2",
        "cell group 81",
        "94 others",
        "peers&#39; limit: -30 mV",
        "64 %",
        "in 41 days",
        "weak_cell_group_trend",
        "opened",
        ">now<",
        "failure →",
        "Score of every finding",
        "Confirm",
        "Dismiss",
        "1 more waits",
    ):
        assert shown in page, shown


def test_a_settled_alert_asks_nothing_and_tells_its_appointment(console: httpx.Client) -> None:
    page = console.get(alert_path(console, FailureMode.TYRE_SLOW_LEAK)).text
    assert "<form" not in page
    assert ">appointment<" in page
    assert "Service centre North, K. Berg" in page
    assert "may fail before" in page


def test_the_ticket_page_tells_the_whole_order(console: httpx.Client) -> None:
    ticket = next(t for t in console.get("/api/v1/tickets").json() if t["failure_mode"] == "lv_battery_ageing")
    page = console.get(f"/tickets/{ticket['ticket_id']}").text
    for shown in (
        "Replace the 12 V battery at the owner&#39;s place.",
        "12 V battery AGM 50 Ah",
        "Mobile technician",
        "28 Sep 2026, 09:00",
        "Service centre North",
        "K. Berg",
        "APT-17",
        "alert confirmed",
        "Delivered",
    ):
        assert shown in page, shown


def test_the_vehicle_page_shows_signals_and_where_nothing_is_known(console: httpx.Client) -> None:
    page = console.get("/vehicles/city-02").text
    for shown in ("Tyre pressures", "12 V battery", "High-voltage isolation", "Rear left tyre pressure", "Lead acid"):
        assert shown in page, shown
    assert "WVSZZZ" not in page
    assert 'aria-current="true">7 days' in page
    assert 'aria-current="true">30 days' in console.get("/vehicles/city-02?days=30").text
    assert "last heard of 3 days ago" in console.get(f"/vehicles/{SILENT}").text


def test_the_vehicle_page_shows_the_latest_software_first(own_console: httpx.Client, own_fleet_url: str) -> None:
    assert "<dt>Software</dt><dd>not known</dd>" in own_console.get("/vehicles/city-02").text
    versions = [SoftwareVersion(datetime(2026, month, 2, tzinfo=UTC), f"2026.{month}") for month in range(1, 5)]
    with connect(own_fleet_url, autocommit=True) as connection:
        for one in versions:
            enter(connection, "city-02", one, one.since)
    page = own_console.get("/vehicles/city-02").text
    shown = page.partition("<dt>Software</dt>")[2].partition("</dd>")[0]
    assert re.findall(r"2026\.\d(?= )", shown) == ["2026.4", "2026.3", "2026.2"]


def test_the_quarantine_page_counts_and_shows_bytes_as_text(console: httpx.Client) -> None:
    page = console.get("/quarantine").text
    assert "Vehicle is not registered" in page
    assert "\\x00\\xff&lt;script&gt;" in page


def test_an_empty_stack_has_every_page(database_url: str) -> None:
    with console_client(database_url) as console:
        for path in PAGES:
            answer = console.get(path)
            assert answer.status_code == 200, path
            Page(answer.text)


def test_a_length_of_time_that_cannot_be_meant_is_422(console: httpx.Client) -> None:
    answer = console.get("/vehicles/city-02?days=many")
    assert answer.status_code == 422
    assert "days:" in answer.text


def test_an_alert_says_what_its_finding_did_not_know(own_console: httpx.Client, own_fleet_url: str) -> None:
    path = alert_path(own_console, FailureMode.TYRE_SLOW_LEAK)
    assert "Not all is known" not in own_console.get(path).text
    with psycopg.connect(own_fleet_url) as connection:
        missing = "3 batches missing between 20 Mar, 06:12 and 06:40 <b>."
        connection.execute("UPDATE findings SET evidence = evidence || %s", [Jsonb({"missing": missing})])
    shown = own_console.get(path).text
    assert "Not all is known: 3 batches missing between 20 Mar, 06:12 and 06:40 &lt;b&gt;." in shown
    Page(shown)
