from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.places import TICK, Channel, Place, Resource, load_places
from desk.slots import Slot, open_slots, tick_at

PLACES = load_places()
MONDAY = datetime(2026, 9, 7, 6, 0, tzinfo=UTC)
WEEKDAYS_8_TO_16 = {day: (timedelta(hours=8), timedelta(hours=16)) for day in range(5)}


def a_place(resources: int = 1) -> Place:
    return Place(
        id="yard",
        name="Yard",
        channel=Channel.SERVICE_CENTRE,
        area="here",
        zone=ZoneInfo("Europe/Berlin"),
        notice=timedelta(),
        resources=tuple(Resource(f"yard/{number}", f"Bay {number}") for number in range(resources)),
        hours=WEEKDAYS_8_TO_16,
    )


def slots(
    channel: Channel,
    minutes: int,
    from_at: datetime,
    days: int = 7,
    taken: set[tuple[str, int]] | None = None,
) -> Iterator[Slot]:
    served = [place for place in PLACES.values() if place.channel is channel]
    window = (from_at, from_at + timedelta(days=days))
    return open_slots(PLACES, served, timedelta(minutes=minutes), window, made_at=from_at, taken=taken or set())


def first_at(place: Place, minutes: int, from_at: datetime, taken: set[tuple[str, int]] | None = None) -> Slot:
    window = (from_at, from_at + timedelta(days=30))
    found = open_slots(
        {place.id: place}, [place], timedelta(minutes=minutes), window, made_at=from_at, taken=taken or set()
    )
    return next(found)


@given(
    channel=st.sampled_from(Channel),
    minutes=st.integers(1, 900),
    from_at=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_slots_are_in_order_on_ticks_inside_opening_hours_and_after_the_notice(
    channel: Channel, minutes: int, from_at: datetime
) -> None:
    found = list(islice(slots(channel, minutes, from_at), 30))
    assert all(before.start_at <= after.start_at for before, after in pairwise(found))
    for slot in found:
        place = PLACES[slot.place_id]
        assert slot.start_at >= from_at + place.notice
        for claim in slot.claims:
            at = PLACES[claim.resource_id.split("/")[0]]
            opening = at.opening(claim.start_at.astimezone(at.zone).date())
            assert opening is not None
            assert tick_at(claim.start_at) * TICK == claim.start_at - datetime(1970, 1, 1, tzinfo=UTC)
            assert claim.start_at >= opening[0]


@given(st.lists(st.tuples(st.sampled_from(Channel), st.integers(1, 800)), min_size=1, max_size=40))
def test_taking_the_earliest_slot_again_and_again_never_takes_a_resource_twice(
    jobs: list[tuple[Channel, int]],
) -> None:
    taken: set[tuple[str, int]] = set()
    claims: Counter[tuple[str, int]] = Counter()
    for channel, minutes in jobs:
        for slot in islice(slots(channel, minutes, MONDAY, days=30, taken=taken), 1):
            claims.update((claim.resource_id, tick) for claim in slot.claims for tick in claim.ticks)
            taken = set(claims)
    assert set(claims.values()) <= {1}


def test_a_job_that_fits_into_a_day_is_not_split_over_the_night() -> None:
    slot = first_at(a_place(), 120, datetime(2026, 9, 7, 12, 30, tzinfo=UTC))  # 14:30, closes at 16:00
    assert slot.start_at == datetime(2026, 9, 8, 6, 0, tzinfo=UTC)
    assert len(slot.claims) == 1


def test_a_job_longer_than_a_day_goes_on_in_the_same_bay_over_the_weekend() -> None:
    slot = first_at(a_place(resources=2), 10 * 60, datetime(2026, 9, 11, 6, 0, tzinfo=UTC))  # a Friday
    assert [(claim.start_at.day, claim.start_at.hour, claim.end_at.hour) for claim in slot.claims] == [
        (11, 6, 14),
        (14, 6, 8),
    ]
    assert len({claim.resource_id for claim in slot.claims}) == 1


def test_a_tow_holds_a_truck_and_then_a_bay_with_time_for_the_work() -> None:
    saturday_evening = datetime(2026, 9, 5, 20, 0, tzinfo=UTC)
    slot = next(slots(Channel.TOW, 240, saturday_evening))
    truck, bay = slot.claims
    assert truck.resource_id.startswith("tow-north/")
    assert truck.start_at == datetime(2026, 9, 5, 20, 15, tzinfo=UTC)
    assert bay.resource_id.startswith("centre-north/")
    assert bay.start_at == datetime(2026, 9, 7, 5, 0, tzinfo=UTC)
    assert slot.end_at - bay.start_at == timedelta(minutes=240)


@pytest.mark.parametrize(("day", "hour"), [("2026-03-27", 6), ("2026-03-30", 5), ("2026-10-23", 5), ("2026-10-26", 6)])
def test_opening_hours_follow_the_local_clock_through_changes_of_time(day: str, hour: int) -> None:
    opening = PLACES["centre-north"].opening(datetime.fromisoformat(day).date())
    assert opening is not None
    assert opening[0].hour == hour


def test_a_second_bay_serves_while_the_first_is_taken() -> None:
    place = a_place(resources=2)
    first = first_at(place, 60, MONDAY)
    taken = {(claim.resource_id, tick) for claim in first.claims for tick in claim.ticks}
    second = first_at(place, 60, MONDAY, taken)
    assert second.start_at == first.start_at
    assert second.claims[0].resource_id != first.claims[0].resource_id


def test_an_endless_job_has_no_slot() -> None:
    assert not list(islice(slots(Channel.SERVICE_CENTRE, 60 * 24 * 14, MONDAY), 1))
