import re
from collections.abc import Callable
from typing import Any

import httpx

Request = Callable[..., dict[str, Any]]


def test_the_page_shows_the_next_appointments_with_every_text_escaped(http: httpx.Client, a_request: Request) -> None:
    ticket = a_request()["tickets"][0] | {"title": "<script>alert(1)</script>"}
    body = a_request(tickets=[ticket], vehicle_id='v"><img src=x>')
    http.post("/api/v1/appointments", json=body, headers={"Idempotency-Key": "k"}).raise_for_status()
    page = http.get("/")
    assert page.status_code == 200
    assert "Mon 07 Sep 2026" in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script" not in page.text
    assert "<img" not in page.text


def test_pages_load_nothing_from_elsewhere_and_forbid_it(http: httpx.Client) -> None:
    for path in ("/", "/docs"):
        page = http.get(path)
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        sources = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
        assert sources
        assert all(source.startswith("/") for source in sources)
        for source in sources:
            assert http.get(source).status_code == 200


def test_the_interface_page_lists_every_operation(http: httpx.Client) -> None:
    schema = http.get("/openapi.json").json()
    page = http.get("/docs").text
    for path in schema["paths"]:
        assert f"<code>{path}</code>" in page


def test_health_tells_the_desks_time(http: httpx.Client) -> None:
    assert http.get("/health").json() == {"status": "ok", "now": "2026-09-07T06:00:00Z"}
