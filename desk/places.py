"""Where and by whom a car is seen to: places, their opening hours and resources, read from `places.toml`."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PLACES_FILE = Path(__file__).with_name("places.toml")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
END_OF_DAY = "24:00"
TICK = timedelta(minutes=15)
"""The quarter of an hour that all appointments go by."""


class Channel(StrEnum):
    """How a car is seen to."""

    OWNER_MESSAGE = "owner_message"
    MOBILE = "mobile"
    SERVICE_CENTRE = "service_centre"
    TOW = "tow"


@dataclass(frozen=True, slots=True)
class Resource:
    """A bay, a technician, a truck, an adviser: does one thing at a time."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """What can be booked under one roof and through one channel."""

    id: str
    name: str
    channel: Channel
    area: str
    zone: ZoneInfo
    notice: timedelta
    """An appointment starts at least this long after it is made; never at once, so that it can still be changed."""
    resources: tuple[Resource, ...]
    hours: dict[int, tuple[timedelta, timedelta]]
    """Opening and closing after local midnight by weekday, 0 is Monday; a day that is missing is closed."""
    takes_to: str | None = None
    """The place whose bay a towed car needs next."""
    takes: timedelta = timedelta()
    """How long the tow takes."""

    def opening(self, day: date) -> tuple[datetime, datetime] | None:
        """When the place is open on a local day, in UTC; None: closed."""
        hours = self.hours.get(day.weekday())
        if hours is None:
            return None
        return self._at(day, hours[0]), self._at(day, hours[1])

    def _at(self, day: date, offset: timedelta) -> datetime:
        # Local arithmetic first, then UTC: opening hours follow the clock on the wall all year.
        return (datetime.combine(day, time(), self.zone) + offset).astimezone(UTC)


def load_places(path: Path = PLACES_FILE) -> dict[str, Place]:
    """The places of a file by id, in its order.

    Raises:
        ValueError: naming what is wrong.
    """
    places = [_place(entry) for entry in tomllib.loads(path.read_text())["places"]]
    by_id = {place.id: place for place in places}
    if len(by_id) < len(places):
        raise ValueError(f"{path.name}: two places share an id")
    for place in places:
        if place.notice < TICK:
            raise ValueError(f"{path.name}: {place.id} would begin what has just been booked: its notice is too short")
        if place.channel is Channel.TOW and place.takes_to not in by_id:
            raise ValueError(f"{path.name}: {place.id} takes cars to an unknown place: {place.takes_to}")
    return by_id


def _place(entry: dict[str, Any]) -> Place:
    return Place(
        id=entry["id"],
        name=entry["name"],
        channel=Channel(entry["channel"]),
        area=entry["area"],
        zone=ZoneInfo(entry["time_zone"]),
        notice=timedelta(minutes=entry["notice_min"]),
        resources=tuple(
            Resource(f"{entry['id']}/{number}", name) for number, name in enumerate(entry["resources"], start=1)
        ),
        hours={WEEKDAYS.index(day): _span(text) for day, text in entry["hours"].items()},
        takes_to=entry.get("takes_to"),
        takes=timedelta(minutes=entry.get("takes_min", 0)),
    )


def _span(text: str) -> tuple[timedelta, timedelta]:
    opens, closes = (_offset(part) for part in text.split("-"))
    if opens >= closes:
        raise ValueError(f"opening hours end before they begin: {text}")
    return opens, closes


def _offset(text: str) -> timedelta:
    if text == END_OF_DAY:
        return timedelta(days=1)
    clock = time.fromisoformat(text)
    offset = timedelta(hours=clock.hour, minutes=clock.minute)
    if offset % TICK:
        raise ValueError(f"opening hours go by quarters of an hour: {text}")
    return offset
