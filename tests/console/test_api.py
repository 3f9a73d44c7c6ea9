from uuid import UUID

import httpx
import pytest

from tests.support.fleet_samples import FLEET, NOW
from vehicle.failure import FailureMode

NOBODYS = UUID(int=0)
"""The id of no alert and no ticket."""

pytestmark = pytest.mark.integration


def test_alerts_come_with_what_decides(console: httpx.Client) -> None:
    listed = console.get("/api/v1/alerts").json()
    assert [alert["severity"] for alert in listed] == ["danger", "danger", "critical", "warning", "warning", "warning"]
    leak = next(alert for alert in listed if alert["failure_mode"] == FailureMode.TYRE_SLOW_LEAK)
    assert leak["locations"] == ["rl"]
    assert leak["appointment"]["place"] == "Service centre North"
    assert leak["failure_expected"]["likely"] == "2026-09-29T00:00:00Z"
    assert len(console.get("/api/v1/alerts?status=open").json()) == 2
    assert console.get("/api/v1/alerts?status=dismissed").json() == []
    whole = console.get(f"/api/v1/alerts/{leak['alert_id']}").json()
    assert [trace["unit"] for trace in whole["evidence"]["traces"]] == ["kPa"] * 4
    assert whole["decisions"] == []


def test_tickets_come_with_their_way(console: httpx.Client) -> None:
    listed = console.get("/api/v1/tickets").json()
    assert len(listed) == 4
    assert len(console.get("/api/v1/tickets?state=booked").json()) == 3
    whole = console.get(f"/api/v1/tickets/{listed[0]['ticket_id']}").json()
    assert [step["after"] for step in whole["steps"]] == ["open", "booked"]
    assert whole["visit"]["visit_id"] == whole["visit_id"]
    assert whole["appointment"]["technician"] == "K. Berg"
    assert "body" not in whole["messages"][0]


def test_vehicles_come_without_their_vin(console: httpx.Client) -> None:
    answer = console.get("/api/v1/vehicles")
    assert [vehicle["vehicle_id"] for vehicle in answer.json()] == sorted(FLEET)
    assert "WVSZZZ" not in answer.text
    whole = console.get("/api/v1/vehicles/city-02")
    assert "vin" not in whole.json()
    assert [alert["vehicle_id"] for alert in whole.json()["alerts"]] == ["city-02"]
    assert whole.json()["tickets"][0]["channel"] == "mobile"


def test_quarantine_and_freshness_are_counted(console: httpx.Client) -> None:
    assert console.get("/api/v1/quarantine").json() == {"clock_future": 1, "unknown_vehicle": 3, "unreadable": 1}
    fresh = console.get("/api/v1/freshness").json()
    assert (fresh["vehicles"], fresh["silent"], fresh["quarantined"]) == (12, 1, 5)
    assert fresh["now"] == NOW.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    "path", [f"/api/v1/alerts/{NOBODYS}", f"/api/v1/tickets/{NOBODYS}", "/api/v1/vehicles/nobody", "/api/v1/nothing"]
)
def test_what_is_not_there_is_told_in_json(console: httpx.Client, path: str) -> None:
    answer = console.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}


def test_a_status_that_is_none_is_422(console: httpx.Client) -> None:
    answer = console.get("/api/v1/alerts?status=urgent")
    assert answer.status_code == 422
    assert "status" in answer.json()["error"]


def test_the_schema_names_every_path(console: httpx.Client) -> None:
    paths = console.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/alerts", "/api/v1/tickets/{ticket_id}", "/api/v1/vehicles", "/health"} <= set(paths)
    assert not any(path.startswith("/alerts") for path in paths)


def test_health(console: httpx.Client) -> None:
    assert console.get("/health").json() == {"status": "ok", "now": "2026-09-25T06:30:00Z"}
