import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from config.clock import Clock
from desk import bookings
from desk.guard import MAX_BODY_BYTES

Request = Callable[..., dict[str, Any]]


def book(http: httpx.Client, body: dict[str, Any], key: str = "k-1") -> httpx.Response:
    return http.post("/api/v1/appointments", json=body, headers={"Idempotency-Key": key})


def amend(http: httpx.Client, body: dict[str, Any], key: str = "k-2") -> httpx.Response:
    ref = body["external_ref"]
    return http.put(f"/api/v1/appointments/by-ref/{ref}", json=body, headers={"Idempotency-Key": key})


def listed(http: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get("/api/v1/appointments", params=query).json()["appointments"]
    return found


def problem(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["error"]
    return found


def test_the_earliest_slot_is_booked_after_now_and_the_notice(http: httpx.Client, a_request: Request) -> None:
    answer = book(http, a_request())
    assert answer.status_code == 201
    booked = answer.json()
    assert booked["id"] == "A-000001"
    assert booked["start_at"] == "2026-09-07T09:00:00Z"  # 08:00 local, three hours of notice
    assert booked["end_at"] == "2026-09-07T10:00:00Z"
    assert booked["place_id"] == "mobile-north"
    assert booked["meets_due"] is True
    assert booked["tickets"] == [{"id": "t-1", "title": "Tyre loses air: front left"}]
    assert http.get("/api/v1/appointments/by-ref/visit-1").json() == booked
    assert http.get("/api/v1/appointments", params={"vehicle_id": "v-0001"}).json() == {
        "appointments": [booked],
        "next": None,
    }


def test_the_same_key_and_body_get_the_same_answer_and_one_appointment(http: httpx.Client, a_request: Request) -> None:
    first, second = book(http, a_request()), book(http, a_request())
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(listed(http)) == 1


def test_the_same_key_with_another_body_is_refused(http: httpx.Client, a_request: Request) -> None:
    book(http, a_request())
    answer = book(http, a_request(duration_min=90))
    assert answer.status_code == 422
    assert problem(answer)["code"] == "key_reused"


def test_a_second_booking_of_a_reference_is_refused_with_the_first(http: httpx.Client, a_request: Request) -> None:
    first = book(http, a_request())
    answer = book(http, a_request(), key="k-other")
    assert answer.status_code == 409
    assert problem(answer)["code"] == "already_booked"
    assert problem(answer)["appointment"] == first.json()


def test_many_at_once_never_share_a_resource_and_time(http: httpx.Client, a_request: Request) -> None:
    def one(number: int) -> dict[str, Any]:
        body = a_request(external_ref=f"visit-{number % 20}", vehicle_id=f"v-{number % 20}")
        answer = book(http, body, key=f"k-{number % 20}")
        assert answer.status_code == 201
        booked: dict[str, Any] = answer.json()
        return booked

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(40)))
    appointments = {booked["id"]: booked for booked in answers}
    assert len(appointments) == 20
    times = {(booked["place_id"], *booked["resources"], booked["start_at"]) for booked in appointments.values()}
    assert len(times) == 20


def test_a_start_from_the_free_slots_can_be_booked_once(http: httpx.Client, a_request: Request) -> None:
    window = {"from": "2026-09-08T00:00:00Z", "until": "2026-09-09T00:00:00Z"}
    query: dict[str, Any] = {"channel": "service_centre", "duration_min": 120, **window}
    slots = http.get("/api/v1/slots", params=query).json()
    chosen = next(slot for slot in slots if slot["place_id"] == "centre-south")
    for number in range(3):
        body = a_request(
            external_ref=f"visit-{number}",
            channel="service_centre",
            duration_min=120,
            start_at=chosen["start_at"],
            place_id="centre-south",
        )
        assert book(http, body, key=f"k-{number}").json()["start_at"] == chosen["start_at"]
    answer = book(http, body | {"external_ref": "visit-9"}, key="k-9")
    assert (answer.status_code, problem(answer)["code"]) == (409, "slot_taken")
    left = http.get("/api/v1/slots", params=query).json()
    assert chosen not in left


def test_a_full_desk_books_late_and_says_so(http: httpx.Client, a_request: Request) -> None:
    answer = book(http, a_request(due_at="2026-09-07T07:00:00Z"))
    assert answer.status_code == 201
    assert answer.json()["meets_due"] is False


def test_a_desk_full_to_its_horizon_says_when_to_ask_again(http: httpx.Client, a_request: Request) -> None:
    body = {"channel": "owner_message", "duration_min": 40 * 60}
    answers = [book(http, a_request(external_ref=f"visit-{number}", **body), key=f"k-{number}") for number in range(40)]
    full = next(answer for answer in answers if answer.status_code != 201)
    assert (full.status_code, problem(full)["code"]) == (503, "full")
    assert int(full.headers["Retry-After"]) > 0


def test_an_added_ticket_keeps_the_slot_and_gets_more_time(http: httpx.Client, a_request: Request) -> None:
    first = book(http, a_request()).json()
    tickets = [*a_request()["tickets"], a_request()["tickets"][0] | {"id": "t-2"}]
    answer = amend(http, a_request(revision=2, duration_min=120, tickets=tickets))
    assert answer.status_code == 200
    amended = answer.json()
    assert amended["id"] == first["id"]
    assert amended["start_at"] == first["start_at"]
    assert amended["end_at"] == "2026-09-07T11:00:00Z"
    assert [ticket["id"] for ticket in amended["tickets"]] == ["t-1", "t-2"]
    repeated = amend(http, a_request(revision=2, duration_min=120, tickets=tickets))
    assert repeated.json() == amended


def test_a_raised_channel_moves_the_appointment_and_frees_the_first_slot(
    http: httpx.Client, a_request: Request
) -> None:
    first = book(http, a_request()).json()
    moved = amend(http, a_request(revision=2, channel="service_centre")).json()
    assert moved["place_id"] == "centre-north"
    other = book(http, a_request(external_ref="visit-2"), key="k-3").json()
    assert (other["start_at"], other["resources"]) == (first["start_at"], first["resources"])


def test_an_earlier_due_date_moves_the_appointment_forward(http: httpx.Client, a_request: Request) -> None:
    late = {"channel": "service_centre", "start_at": "2026-09-11T08:00:00Z"}
    first = book(http, a_request(**late)).json()
    assert first["start_at"] == "2026-09-11T08:00:00Z"
    urgent = a_request(channel="service_centre", revision=2, due_at="2026-09-09T00:00:00Z")
    assert amend(http, urgent).json()["start_at"] == "2026-09-07T08:00:00Z"


@pytest.mark.parametrize("revision", [1, 2])
def test_an_older_or_equal_revision_is_refused_with_the_booking(
    http: httpx.Client, a_request: Request, revision: int
) -> None:
    booked = book(http, a_request(revision=2)).json()
    answer = amend(http, a_request(revision=revision, duration_min=90))
    assert (answer.status_code, problem(answer)["code"]) == (409, "stale_revision")
    assert problem(answer)["appointment"] == booked


def test_an_appointment_that_has_begun_cannot_be_changed_or_cancelled(
    http: httpx.Client, a_request: Request, clock: Clock
) -> None:
    booked = book(http, a_request()).json()
    clock.advance(datetime.fromisoformat(booked["start_at"]))
    answer = amend(http, a_request(revision=2, duration_min=90))
    assert (answer.status_code, problem(answer)["code"]) == (409, "begun")
    assert http.delete("/api/v1/appointments/by-ref/visit-1").status_code == 409


def test_cancelling_frees_the_slot_and_may_be_repeated(http: httpx.Client, a_request: Request) -> None:
    first = book(http, a_request()).json()
    for _ in range(2):
        answer = http.delete("/api/v1/appointments/by-ref/visit-1")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert problem(amend(http, a_request(revision=2)))["code"] == "cancelled"
    again = book(http, a_request(), key="k-again").json()
    assert (again["id"], again["start_at"]) == ("A-000002", first["start_at"])
    assert http.get("/api/v1/appointments/by-ref/visit-1").json()["id"] == "A-000002"


def test_amending_what_is_not_there_is_refused(refusing_http: httpx.Client, a_request: Request) -> None:
    assert amend(refusing_http, a_request()).status_code == 404
    answer = refusing_http.put("/api/v1/appointments/by-ref/other", json=a_request(), headers={"Idempotency-Key": "k"})
    assert problem(answer)["fields"][0]["field"] == "external_ref"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"revision": "1"}, "revision"),
        ({"revision": True}, "revision"),
        ({"revision": 0}, "revision"),
        ({"revision": 2**70}, "revision"),
        ({"duration_min": 1.5}, "duration_min"),
        ({"duration_min": 41 * 60}, "duration_min"),
        ({"channel": "boat"}, "channel"),
        ({"due_at": "2026-09-14T00:00:00"}, "due_at"),
        ({"due_at": 1789000000}, "due_at"),
        ({"due_at": "1789000000"}, "due_at"),
        ({"due_at": "0001-01-01T00:00:00+14:00"}, "due_at"),
        ({"due_at": "9999-12-31T23:59:59-14:00"}, "due_at"),
        ({"start_at": "1999-12-31T23:00:00-12:00"}, "start_at"),
        ({"place_id": "centre-north"}, "place_id"),
        ({"external_ref": ""}, "external_ref"),
        ({"external_ref": None}, "external_ref"),
        ({"vehicle_id": "a\x00b"}, "vehicle_id"),
        ({"tickets": []}, "tickets"),
        ({"tickets": [{"id": "t"}]}, "tickets.0.title"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_field_is_named(
    refusing_http: httpx.Client, a_request: Request, changes: dict[str, Any], field: str
) -> None:
    answer = book(refusing_http, a_request(**changes))
    assert answer.status_code == 422
    assert field in {item["field"] for item in problem(answer)["fields"]}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":' * 5000, b"1" * 5000, b'{"external_ref":"\\ud800"}', b"NaN"],
    ids=["empty", "cut", "list", "null", "bytes", "deep", "digits", "surrogate", "nan"],
)
def test_a_body_that_is_no_request_is_refused(refusing_http: httpx.Client, body: bytes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = refusing_http.post("/api/v1/appointments", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert problem(answer)["message"]


def test_a_missing_key_is_named(refusing_http: httpx.Client, a_request: Request) -> None:
    answer = refusing_http.post("/api/v1/appointments", json=a_request())
    assert answer.status_code == 422
    assert problem(answer)["fields"][0]["field"].lower() == "idempotency-key"


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "streamed"])
def test_a_body_too_large_is_refused(refusing_http: httpx.Client, declared: bool) -> None:  # noqa: FBT001
    body = json.dumps({"external_ref": "x" * MAX_BODY_BYTES}).encode()
    content: Any = body if declared else iter([body[:1000], body[1000:]])
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = refusing_http.post("/api/v1/appointments", content=content, headers=headers)
    assert answer.status_code == 413
    assert problem(answer)["message"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"channel": "mobile", "duration_min": 60, "from": "2026-09-07", "until": "2026-09-08T00:00:00Z"}, "from"),
        (
            {
                "channel": "mobile",
                "duration_min": 60,
                "from": "2026-09-07T00:00:00Z",
                "until": "2026-12-08T00:00:00Z",
            },
            "until",
        ),
        ({"channel": "x", "duration_min": 60}, "channel"),
        ({"channel": "mobile", "duration_min": 0}, "duration_min"),
    ],
)
def test_a_wrong_question_for_slots_is_named(refusing_http: httpx.Client, query: dict[str, Any], field: str) -> None:
    answer = refusing_http.get("/api/v1/slots", params=query)
    assert answer.status_code == 422
    assert field in {item["field"] for item in problem(answer)["fields"]}


def test_slots_lie_after_now(http: httpx.Client, clock: Clock) -> None:
    window = {"from": "2026-09-01T00:00:00Z", "until": "2026-09-09T00:00:00Z"}
    query: dict[str, Any] = {"channel": "mobile", "duration_min": 60, **window}
    starts = [slot["start_at"] for slot in http.get("/api/v1/slots", params=query).json()]
    assert starts == sorted(starts)
    assert datetime.fromisoformat(starts[0]) == clock.now() + timedelta(hours=3)


def test_appointments_are_listed_page_by_page_and_by_vehicle(
    http: httpx.Client, a_request: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bookings, "PAGE_SIZE", 2)
    for number in range(3):
        body = a_request(external_ref=f"visit-{number}", vehicle_id=f"v-{number % 2}")
        book(http, body, key=f"k-{number}").raise_for_status()
    first = http.get("/api/v1/appointments").json()
    rest = http.get("/api/v1/appointments", params={"after": first["next"]}).json()
    refs = [booked["external_ref"] for booked in [*first["appointments"], *rest["appointments"]]]
    assert refs == ["visit-0", "visit-1", "visit-2"]
    assert rest["next"] is None
    assert [booked["external_ref"] for booked in listed(http, vehicle_id="v-1")] == ["visit-1"]


def test_what_is_not_there_answers_in_the_same_form(refusing_http: httpx.Client) -> None:
    assert problem(refusing_http.get("/api/v1/appointments/by-ref/none"))["code"] == "unknown"
    assert refusing_http.get("/nothing").status_code == 404
    assert problem(refusing_http.get("/nothing"))["message"]
    assert problem(refusing_http.put("/api/v1/places"))["code"] == "method_not_allowed"
