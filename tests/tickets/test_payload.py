import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from tests.support.a_visit import CATALOGUE, NOW, a_ticket, a_visit
from tickets.payload import (
    LONGEST_EVIDENCE,
    BookingPayload,
    TicketInVisit,
    booking_payload,
    decode,
    encode,
    payload_schema,
)
from tickets.ticket import Channel
from vehicle.finding import Severity

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden/booking/visit.json"
PAGE = ROOT / "docs/booking-api.md"


def the_visit() -> BookingPayload:
    cells = a_ticket(
        ticket_id=UUID(int=0x72),
        component="traction_battery",
        failure_mode="weak_cell_group",
        severity=Severity.CRITICAL,
        title="Weak cell group in the traction battery (V_2, V_81)",
        action=CATALOGUE["weak_cell_group"].action,
        channel=Channel.SERVICE_CENTRE,
        due_at=NOW + timedelta(days=5),
    )
    contents = [
        TicketInVisit(cells, ("V_2", "V_81"), "V_2 and V_81 sag 84 mV below the median under load, for 3 days."),
        TicketInVisit(a_ticket(), ("fl",), "Front left loses 3.1 kPa a day; the other three lose nothing."),
    ]
    visit = a_visit(channel=Channel.SERVICE_CENTRE, due_at=NOW + timedelta(days=5))
    return booking_payload(visit, contents, CATALOGUE, revision=2, console_url="http://127.0.0.1:8000")


def test_the_body_is_the_golden_one() -> None:
    assert json.loads(encode(the_visit())) == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_the_golden_body_can_be_read() -> None:
    assert decode(GOLDEN.read_bytes()) == the_visit()


@pytest.mark.parametrize("broken", [{"revision": 0}, {"revision": "1"}, {"tickets": []}, {"vehicle_id": None}])
def test_what_is_wrong_cannot_be_read(broken: dict[str, object]) -> None:
    body = json.dumps(json.loads(encode(the_visit())) | broken).encode()
    with pytest.raises(msgspec.DecodeError):
        decode(body)


def test_the_page_shows_schema_and_golden_body() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert json.dumps(payload_schema(), indent=2) in page
    assert GOLDEN.read_text(encoding="utf-8").strip() in page


def test_encoding_is_stable_and_reversible() -> None:
    payload = the_visit()
    assert decode(encode(payload)) == payload
    assert encode(decode(encode(payload))) == encode(payload)


def test_times_add_up_and_long_evidence_is_cut() -> None:
    content = TicketInVisit(a_ticket(), (), "x" * 9999)
    payload = booking_payload(a_visit(), [content, replace(content)], CATALOGUE, revision=1)
    assert payload.duration_min == 2 * CATALOGUE["tyre_slow_leak"].duration_min
    assert len(payload.tickets[0].evidence) == LONGEST_EVIDENCE
    assert payload.tickets[0].link == ""


@pytest.mark.parametrize("channel", Channel)
def test_every_channel_has_a_name_over_there(channel: Channel) -> None:
    payload = booking_payload(a_visit(channel=channel), [TicketInVisit(a_ticket(), (), "")], CATALOGUE, revision=1)
    assert payload.channel in {"owner_message", "mobile", "service_centre", "tow"}
