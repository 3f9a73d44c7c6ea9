import json
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.support.a_visit import a_body
from tests.support.bad_server import BadServer, Script, answer, bad_server, cut, drip, flood, hang, slam
from tickets.answer import Accepted, Halted, PushResult, RefusalReason, Refused, TryAgain
from tickets.booking import MAX_ANSWER_BYTES, BookingDesk, Patience
from tickets.payload import decode

BODY = a_body()
PAYLOAD = decode(BODY)
IMPATIENT = Patience(connect_s=0.5, read_s=0.4, total_s=0.8)


def booked(**changes: Any) -> bytes:
    appointment = {
        "id": "A-1",
        "external_ref": PAYLOAD.external_ref,
        "revision": PAYLOAD.revision,
        "status": "booked",
        "place": "Mobile service North",
        "resources": ["Technician A"],
        "start_at": "2026-09-07T09:00:00Z",
        "end_at": "2026-09-07T10:00:00Z",
        "tickets": [{"id": ticket.id, "title": "ignored"} for ticket in PAYLOAD.tickets],
        "something_new": 1,
    }
    return json.dumps(appointment | changes).encode()


def problem(code: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": f"because {code}"}}).encode()


def create(server: BadServer) -> PushResult:
    return BookingDesk(server.url, IMPATIENT).create("key-1", BODY)


def test_a_good_answer_is_accepted_and_body_and_key_went_verbatim() -> None:
    with bad_server(answer(201, booked())) as server:
        result = create(server)
    assert isinstance(result, Accepted)
    assert (result.appointment.id, result.status) == ("A-1", 201)
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/api/v1/appointments")
    assert request.headers["idempotency-key"] == "key-1"
    assert request.body == BODY


def test_an_update_goes_to_the_visits_own_address() -> None:
    with bad_server(answer(200, booked())) as server:
        assert isinstance(BookingDesk(server.url + "/", IMPATIENT).update("key-2", BODY), Accepted)
    assert (server.requests[0].method, server.requests[0].path) == (
        "PUT",
        f"/api/v1/appointments/by-ref/{PAYLOAD.external_ref}",
    )


@pytest.mark.parametrize(
    "script",
    [
        answer(200),
        answer(204),
        answer(200, b"<html>Welcome to the hotel's network</html>", Content_Type="text/html"),
        answer(201, b"\xff\xfe{"),
        answer(201, b"{}"),
        answer(201, booked(external_ref="another")),
        answer(201, booked(revision=0)),
        answer(201, booked(status="cancelled")),
        answer(201, booked(tickets=[])),
        answer(201, booked() + b" " * MAX_ANSWER_BYTES),
    ],
    ids=["empty", "204", "html", "bytes", "object", "other", "older", "cancelled", "no tickets", "too long"],
)
def test_a_yes_that_tells_nothing_is_looked_up(script: Script) -> None:
    with bad_server(script, answer(200, booked())) as server:
        assert isinstance(create(server), Accepted)
    assert server.requests[1].method == "GET"
    with bad_server(script, answer(404, problem("unknown"))) as server:
        assert isinstance(create(server), TryAgain)


def test_a_huge_body_is_read_no_further_than_the_limit() -> None:
    sent: list[int] = []
    with bad_server(flood(200, 1000, sent), answer(200, booked())) as server:
        assert isinstance(create(server), Accepted)
    assert sum(sent) < 20 * 1024 * 1024  # what the sockets' buffers took


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (answer(200, booked()), Accepted),
        (answer(200, booked(revision=7, tickets=[])), Accepted),
        (answer(200, booked(tickets=[{"id": "another"}])), Refused),
        (answer(200, booked(status="cancelled")), Refused),
        (answer(404, problem("unknown")), Refused),
        (answer(503, problem("full")), TryAgain),
        (answer(401), Halted),
    ],
    ids=["same", "newer", "other tickets", "cancelled", "nothing", "down", "shut"],
)
def test_a_conflict_is_decided_by_what_is_really_held(found: Script, expected: type) -> None:
    with bad_server(answer(409, problem("already_booked")), found) as server:
        result = create(server)
    assert isinstance(result, expected)
    if isinstance(result, Refused):
        assert result.reason is RefusalReason.CONFLICT
        assert "because already_booked" in result.detail


def test_an_appointment_that_has_begun_is_told_apart() -> None:
    with bad_server(answer(409, problem("begun")), answer(200, booked(revision=0))) as server:
        result = create(server)
    assert isinstance(result, Refused)
    assert result.reason is RefusalReason.BEGUN


def test_a_key_at_work_is_tried_again_soon_without_looking() -> None:
    with bad_server(answer(409, problem("key_in_progress"))) as server:
        result = create(server)
    assert isinstance(result, TryAgain)
    assert result.after == timedelta(seconds=5)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 413, 422])
def test_what_is_not_understood_is_refused(status: int) -> None:
    with bad_server(answer(status, problem("invalid"))) as server:
        result = create(server)
    assert isinstance(result, Refused)
    assert (result.reason, result.status) == (RefusalReason.INVALID, status)


@pytest.mark.parametrize("status", [401, 403, 410])
def test_a_shut_door_halts(status: int) -> None:
    with bad_server(answer(status)) as server:
        assert isinstance(create(server), Halted)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with bad_server(answer(status, b"oops")) as server:
        result = create(server)
    assert isinstance(result, TryAgain)
    assert (result.status, result.after) == (status, None)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"Retry_After": "120"}, timedelta(seconds=120)),
        ({"Retry_After": "9" * 400}, timedelta(seconds=999_999_999)),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        (
            {"Retry_After": "Mon, 07 Sep 2026 06:02:00 GMT", "Date": "Mon, 07 Sep 2026 06:00:00 GMT"},
            timedelta(minutes=2),
        ),
        ({"Retry_After": "Mon, 07 Sep 2026 06:02:00 GMT"}, None),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], after: timedelta | None) -> None:
    with bad_server(answer(503, **headers)) as server:
        result = create(server)
    assert isinstance(result, TryAgain)
    assert result.after == after


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with bad_server(answer(200, booked())) as target:
        location = f"{target.url}/api/v1/appointments"
        with bad_server(answer(status, Location=location)) as server:
            assert isinstance(create(server), TryAgain)
        assert len(server.requests) == 1
    assert not target.requests


@pytest.mark.parametrize(
    "script",
    [
        hang(2),
        drip(b"HTTP/1.1 201 X\r\nX-Slow: " + b"x" * 1000, 0.05),
        drip(b"HTTP/1.1 201 X\r\nContent-Length: 9000\r\n\r\n" + b" " * 9000, 0.02),
        cut,
        slam,
        lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    ],
    ids=["hang", "drip in the head", "drip in the body", "cut", "reset", "other protocol"],
)
def test_an_attempt_ends_by_itself(script: Script) -> None:
    with bad_server(script) as server:
        began = time.monotonic()
        result = create(server)
        assert time.monotonic() - began < IMPATIENT.total_s + 0.7
    assert isinstance(result, TryAgain)
    assert result.status is None
    assert result.detail


def test_nobody_there_is_tried_again() -> None:
    with bad_server(answer(200)) as server:
        pass
    assert isinstance(create(server), TryAgain)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (answer(200, booked(revision=3)), Accepted),
        (answer(404), type(None)),
        (answer(200, booked(external_ref="another")), TryAgain),
        (answer(200, b"<html>"), TryAgain),
        (answer(500), TryAgain),
        (answer(403), Halted),
    ],
)
def test_looking_up_a_visit(script: Script, expected: type) -> None:
    with bad_server(script) as server:
        found = BookingDesk(server.url, IMPATIENT).find_by_ref(PAYLOAD.external_ref)
    assert isinstance(found, expected)
