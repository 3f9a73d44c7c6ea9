"""The real desk behind the real adapter: what we send is what it takes."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from config.clock import Clock
from tickets.answer import Accepted, PushResult, RefusalReason, Refused
from tickets.booking import BookingDesk
from tickets.payload import BookingPayload, decode, encode

GOLDEN = decode((Path(__file__).parents[1] / "golden/booking/visit.json").read_bytes())


def revised(revision: int) -> bytes:
    return encode(msgspec.structs.replace(GOLDEN, revision=revision, tickets=GOLDEN.tickets[:revision]))


def start(result: PushResult | None) -> datetime:
    assert isinstance(result, Accepted)
    return result.appointment.start_at


def test_the_golden_body_is_booked_once_whatever_is_repeated(desk_url: str) -> None:
    desk = BookingDesk(desk_url)
    assert desk.find_by_ref(GOLDEN.external_ref) is None
    first = desk.create("key-1", encode(GOLDEN))
    assert isinstance(first, Accepted)
    assert desk.create("key-1", encode(GOLDEN)) == first
    assert desk.find_by_ref(GOLDEN.external_ref) == Accepted(first.appointment, 200)
    # A desk that has forgotten the key finds the visit by its reference.
    assert desk.create("key-2", encode(GOLDEN)) == Accepted(first.appointment, 200)


def test_an_update_is_taken_and_an_older_one_changes_nothing(desk_url: str) -> None:
    desk = BookingDesk(desk_url)
    first = desk.create("key-1", revised(1))
    second = desk.update("key-2", revised(2))
    assert start(first) == start(second)
    assert isinstance(second, Accepted)
    assert [line.id for line in second.appointment.tickets] == [ticket.id for ticket in GOLDEN.tickets]
    late = desk.update("key-3", revised(1))
    assert isinstance(late, Accepted)
    assert late.appointment == second.appointment


def test_an_appointment_that_has_begun_is_told_apart(desk_url: str, clock: Clock) -> None:
    desk = BookingDesk(desk_url)
    clock.advance(start(desk.create("key-1", revised(1))) + timedelta(minutes=1))
    result = desk.update("key-2", revised(2))
    assert isinstance(result, Refused)
    assert result.reason is RefusalReason.BEGUN


def test_a_body_the_desk_does_not_take_is_refused_with_the_field(desk_url: str) -> None:
    wrong: BookingPayload = msgspec.structs.replace(GOLDEN, channel="boat")
    result = BookingDesk(desk_url).create("key-1", encode(wrong))
    assert isinstance(result, Refused)
    assert result.reason is RefusalReason.INVALID
    assert "channel" in result.detail
