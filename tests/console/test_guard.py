from itertools import chain
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.datastructures import Headers

from console.app import ROUTERS, create_app
from console.guard import HARMLESS, SAFE_HEADERS, is_from_here
from tests.support.fleet_database import StoppedClock

FORM = {"author": "K. Berg", "reason": "seen on the car"}


def routes() -> list[APIRoute]:
    app = create_app("postgresql://vsc@127.0.0.1:1/vsc", StoppedClock())
    everywhere = chain(app.routes, *(router.routes for router in ROUTERS))
    return [route for route in everywhere if isinstance(route, APIRoute)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1"},
    ],
)
def test_every_route_that_changes_something_refuses_other_sites(
    silent_console: httpx.Client, headers: dict[str, str]
) -> None:
    changing = [(route, method) for route in routes() for method in (route.methods or set()) - HARMLESS]
    assert changing
    for route, method in changing:
        path = route.path.replace("{alert_id}", str(uuid4())).replace("{verdict}", "confirm").replace("{number}", "1")
        assert "{" not in path
        answer = silent_console.request(method, path, data=FORM, headers=headers)
        assert answer.status_code == 403
        assert "nothing was changed" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:8123", "origin": "http://127.0.0.1:8123"},
        {"host": "localhost:8123", "origin": "http://localhost:8123", "sec-fetch-site": "same-origin"},
        {"host": "127.0.0.1", "sec-fetch-site": "same-origin"},
    ],
)
def test_our_own_pages_may_change_something(headers: dict[str, str]) -> None:
    assert is_from_here(Headers(headers))


def test_no_route_changes_something_when_it_is_only_read() -> None:
    names = {route.name for route in routes() if (route.methods or set()) & HARMLESS}
    assert names.isdisjoint({route.name for route in routes() if (route.methods or set()) - HARMLESS})


@pytest.mark.parametrize("path", ["/", "/nothing", "/alerts/not-a-number", "/static/console.css", "/api/v1/alerts"])
def test_every_answer_carries_the_safe_headers(silent_console: httpx.Client, path: str) -> None:
    answer = silent_console.get(path)
    assert {name: answer.headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS


def test_the_policy_lets_nothing_inline_run_and_nobody_frame_us() -> None:
    policy = SAFE_HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_foreign_name_that_leads_here_is_refused(silent_console: httpx.Client) -> None:
    assert silent_console.get("/", headers={"host": "evil.example"}).status_code == 400
