"""An engineer at work, in a real browser."""

import shutil
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.console_server import console_server
from vehicle.failure import FailureMode

pytestmark = [pytest.mark.browser, pytest.mark.integration]
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


class Watched:
    """A page that remembers what it asked for and what it complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def is_content(self) -> bool:
        return not self.complaints and all(url.startswith(self.address) for url in self.requests)


@pytest.fixture
def watched(browser: Browser, own_fleet_url: str) -> Iterator[Watched]:
    with console_server(own_fleet_url) as address:
        context = browser.new_context(base_url=address)
        yield Watched(context.new_page(), address)
        context.close()


def status_of(url: str, mode: FailureMode) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT status FROM alerts WHERE failure_mode = %s", [mode]).fetchone()
    assert row is not None
    return str(row[0])


def test_an_engineer_confirms_one_alert_and_dismisses_the_next(watched: Watched, own_fleet_url: str) -> None:
    page = watched.page
    page.goto("/")
    page.get_by_role("link", name="Start with the first").click()
    page.get_by_label("Reason").fill("evidence is clear")
    page.get_by_label("Your name").fill("K. Berg")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("status").filter(has_text="Confirmed:").wait_for()
    assert status_of(own_fleet_url, FailureMode.COOLANT_PUMP_WEAK) == "confirmed"
    assert page.get_by_label("Your name").input_value() == "K. Berg"
    page.get_by_label("Reason").fill("sensor is wrong")
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_role("status").filter(has_text="Nothing waits any more").wait_for()
    assert status_of(own_fleet_url, FailureMode.WEAK_CELL_GROUP) == "dismissed"
    assert watched.is_content(), (watched.complaints, watched.requests)


def test_an_engineer_keeps_an_alert_quiet_and_ends_that(watched: Watched, own_fleet_url: str) -> None:
    page = watched.page
    page.goto("/")
    page.get_by_role("link", name="Start with the first").click()
    page.get_by_text("Keep it quiet for a while").click()
    page.get_by_label("Until the start of").fill("2026-10-09")
    page.get_by_label("Why").fill("new pump is on order")
    page.get_by_label("By").fill("K. Berg")
    page.get_by_role("button", name="Keep quiet").click()
    page.get_by_role("status").filter(has_text="Kept quiet:").wait_for()
    page.get_by_role("status").get_by_role("link").click()
    page.get_by_text("It waits for nobody until then.").wait_for()
    assert page.get_by_role("button", name="Confirm").count() == 1
    page.goto("/")
    quiet = page.locator("section", has=page.get_by_role("heading", name="Kept quiet"))
    assert "new pump is on order" in quiet.inner_text()
    page.get_by_role("link", name="Silences").click()
    page.get_by_text("End it now").click()
    page.get_by_label("Reason").fill("fitted")
    page.get_by_role("button", name="End entry").click()
    page.get_by_text("K. Berg: fitted").wait_for()
    assert status_of(own_fleet_url, FailureMode.COOLANT_PUMP_WEAK) == "open"
    page.goto("/")
    assert quiet.count() == 0
    assert watched.is_content(), (watched.complaints, watched.requests)


def test_the_keyboard_is_enough(watched: Watched, own_fleet_url: str) -> None:
    page = watched.page
    page.goto("/")
    page.get_by_role("link", name="Start with the first").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").focus()
    page.keyboard.type("seen before on this model")
    page.keyboard.press("Tab")
    page.keyboard.type("K. Berg")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert status_of(own_fleet_url, FailureMode.COOLANT_PUMP_WEAK) == "confirmed"


def test_what_cars_write_does_not_run_and_no_page_leaves_the_server(watched: Watched, own_fleet_url: str) -> None:
    hostile = "<img src='//evil.example/x' onerror=alert(1)><script>alert(1)</script>"
    with psycopg.connect(own_fleet_url) as connection:
        connection.execute("UPDATE vehicles SET model = %(t)s, place = %(t)s", {"t": hostile})
        connection.execute("UPDATE tickets SET title = %(t)s, action = %(t)s", {"t": hostile})
        connection.execute("UPDATE alerts SET locations = ARRAY[%(t)s]", {"t": hostile})
    for path in ("/", "/alerts", "/tickets", "/vehicles", "/vehicles/city-01", "/quarantine"):
        watched.page.goto(path)
    watched.page.get_by_role("link", name="Alerts").click()
    watched.page.locator("a.name").first.click()
    assert watched.page.locator("figure svg[role=img]").count() >= 1
    assert watched.is_content(), (watched.complaints, watched.requests)


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_its_screen(watched: Watched, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/alerts", "/silences", "/tickets", "/vehicles", "/vehicles/city-02", "/quarantine"):
        watched.page.goto(path)
        overflow = watched.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, path


def test_a_form_of_another_site_changes_nothing(watched: Watched, own_fleet_url: str) -> None:
    with psycopg.connect(own_fleet_url) as connection:
        row = connection.execute("SELECT alert_id FROM alerts WHERE status = 'open'").fetchone()
    assert row is not None
    fields = "".join(f'<input name="{name}" value="x">' for name in ("author", "reason"))
    action = f"{watched.address}/alerts/{row[0]}/confirm"
    form = f'<form method="post" action="{action}">{fields}<button>Go</button></form>'
    watched.page.route("http://elsewhere.test/", lambda route: route.fulfill(body=form, content_type="text/html"))
    watched.page.goto("http://elsewhere.test/")
    watched.page.get_by_role("button", name="Go").click()
    watched.page.get_by_text("nothing was changed").wait_for()
    with psycopg.connect(own_fleet_url) as connection:
        assert connection.execute("SELECT count(*) FROM alert_decisions").fetchone() == (0,)
